// The API server's identity and trust: the cluster's own PKI, from the machine config of a control plane.
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesCluster } from "../../world/talos/machines.ts";
import { type Issued, issue, signerOf } from "../../world/certificates.ts";
import { whenPresent } from "../../present.ts";

/** Files for the API server, and the certificate with which the home's own controllers come. */
export interface Identity {
  ca: string;
  clientCa: string;
  servingCert: string;
  servingKey: string;
  serviceAccountKey: string;
  serviceAccountPublicKey: string;
  controllers: Issued;
}

const NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"];

/** Writes what the API server of this cluster needs below `folder`; keys that the config does not hold are made once and kept. */
export function writeIdentity(folder: string, { cluster, caKey, serviceAccount, addresses }: Pki): Identity {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = signerOf(cluster.ca, caKey);
  const hosts = [...NAMES, "127.0.0.1", new URL(cluster.endpoint).hostname, firstAddress(cluster.serviceSubnets[0]!), ...addresses];
  const serving = issue(authority, { subject: { commonName: "kube-apiserver" }, days: 30, hosts: [...new Set(hosts)], use: ["server"] });
  const put = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const serviceAccountKey = join(folder, "service-account.key");
  const signs = serviceAccount || (whenPresent(() => readFileSync(serviceAccountKey, "utf8")) ?? newKey());
  put("service-account.key", signs);
  return {
    ca: cluster.ca,
    clientCa: put("ca.crt", cluster.ca),
    servingCert: put("apiserver.crt", serving.cert),
    servingKey: put("apiserver.key", serving.key),
    serviceAccountKey,
    serviceAccountPublicKey: put("service-account.pub", createPublicKey(signs).export({ type: "spki", format: "pem" }).toString()),
    controllers: issue(authority, {
      subject: { organizations: ["system:masters"], commonName: "home:controllers" },
      days: 30,
      use: ["client"],
    }),
  };
}

export interface Pki {
  cluster: KubernetesCluster;
  /** PEM of the cluster CA's key, and of the key that signs service accounts' tokens; empty when the config has none. */
  caKey: string;
  serviceAccount: string;
  /** Addresses of the control planes. */
  addresses: string[];
}

/** The address of the Service `kubernetes`: 10.43.0.1 of 10.43.0.0/16. */
const firstAddress = (subnet: string) => subnet.split("/")[0]!.replace(/\d+$/, (last) => String(Number(last) + 1));

const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
