// The home as the tests of talosctl's neighbours see it: a talosconfig and a kubeconfig of our authority, and how a command to a node begins.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Authority, createAuthority, issue } from "../../simulators/world/certificates.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
export const newAuthority = (name: string) => createAuthority({ subject: { organizations: [name] }, days: 3650 });
export const talosCa = newAuthority("talos");
export const kubernetesCa = newAuthority("kubernetes");
export const TALOS_CA = base64(talosCa.cert);
export const KUBERNETES_CA = base64(kubernetesCa.cert);

const client = ({ cert, key, name }: Authority, days: number) =>
  issue(
    { key: createPrivateKey(key), public: new X509Certificate(cert).publicKey, name },
    { subject: { organizations: ["os:admin"] }, days, use: ["client"] },
  );

export const ADDRESSES = ["192.168.122.10", "192.168.122.11", "192.168.122.12"];

interface Made {
  ca?: Authority;
  days?: number;
  endpoints?: string[];
  name?: string;
}

/** A talosconfig as `talos:talosconfig` writes it. */
export function talosconfigOf({ ca = talosCa, days = 365, endpoints = ADDRESSES, name = "home-ops-cluster" }: Made = {}): string {
  const { cert, key } = client(ca, days);
  return stringify(
    { context: name, contexts: { [name]: { endpoints, nodes: endpoints, ca: base64(ca.cert), crt: base64(cert), key: base64(key) } } },
    { lineWidth: 0 },
  );
}

/** A kubeconfig as `talosctl kubeconfig` prints it. */
export function kubeconfigOf({
  ca = kubernetesCa,
  days = 365,
  server = "https://192.168.120.100:6443",
  others = [] as string[],
} = {}): string {
  const { cert, key } = client(ca, days);
  const user = "admin@home-ops-cluster";
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "home-ops-cluster", cluster: { server, "certificate-authority-data": base64(ca.cert) } }],
      contexts: [user, ...others].map((name) => ({ name, context: { cluster: "home-ops-cluster", user } })),
      "current-context": user,
      users: [{ name: user, user: { "client-certificate-data": base64(cert), "client-key-data": base64(key) } }],
    },
    { lineWidth: 0 },
  );
}

/** A folder with these files; `{talosconfig: …}` is where $TALOSCONFIG points. */
export function folderWith(files: Record<string, string>): { folder: string; env: Record<"TALOSCONFIG" | "KUBECONFIG", string> } {
  const folder = mkdtempSync(join(tmpdir(), "talos-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, env: { TALOSCONFIG: join(folder, "talosconfig"), KUBECONFIG: join(folder, "kubeconfig") } };
}

/** How commands to the i-th node begin, with our certificate and without one. */
export const withCertificate = (file: string, i: number) =>
  `talosctl --talosconfig ${file} --endpoints ${ADDRESSES[i]} --nodes ${ADDRESSES[i]}`;
export const openly = (file: string, i: number) => `talosctl --talosconfig ${file} --nodes ${ADDRESSES[i]}`;

/** The value of each reference that the machine configs hold: our authorities' certificates, and for the rest its own name. */
export const secrets = (reference: string) =>
  ({ MACHINE_CA_CRT: TALOS_CA, CLUSTER_CA_CRT: KUBERNETES_CA })[reference.split("/").at(-1)!] ?? `value of ${reference}`;

const status = (stage: string, ready: boolean, unmet: { name: string; reason: string }[] = []) =>
  `${JSON.stringify({ metadata: { id: "machine" }, node: "x", spec: { stage, status: { ready, unmetConditions: unmet } } }, null, 4)}\n`;
export const RUNNING = status("running", true);
export const BOOTING = status("booting", false, [{ name: "services", reason: "etcd not running" }]);
export const MAINTENANCE = status("maintenance", true);

const resource = (id: string, spec: object) => `${JSON.stringify({ metadata: { id }, node: "", spec }, null, 4)}\n`;

/** What a machine without a config says when it is asked for its NICs. */
export const links = (mac: string) => resource("eth0", { hardwareAddr: mac, permanentAddr: mac });

/** Its two disks, and what is on each. */
export const DISKS =
  resource("vda", { dev_path: "/dev/vda", pretty_size: "500 GB" }) + resource("vdb", { dev_path: "/dev/vdb", pretty_size: "1.0 TB" });
export const volumes = (system = "", data = "") => resource("vda", { name: system }) + resource("vdb", { name: data });

/** What the i-th machine answers when it is looked at: the node's NIC, two blank disks. */
export const machine = (file: string, i: number, mac: string) => ({
  "talosctl version --client": "Client:\nTalos v1.13.9\n",
  [`${openly(file, i)} get links`]: links(mac),
  [`${openly(file, i)} get disks`]: DISKS,
  [`${openly(file, i)} get discoveredvolumes`]: volumes(),
  [`${withCertificate(file, i)} etcd members`]: UNKNOWN_AUTHORITY,
});

const rpc = (text: string) => ({ err: `rpc error: code = Unavailable desc = connection error: desc = "${text}"\n`, code: 1 });
export const UNKNOWN_AUTHORITY = rpc(
  "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority",
);
export const CERTIFICATE_REQUIRED = rpc("error reading server preface: remote error: tls: certificate required");
export const NO_ROUTE = rpc("transport: Error while dialing: dial tcp 192.168.122.10:50000: connect: no route to host");
export const REFUSED = rpc("transport: Error while dialing: dial tcp 192.168.122.10:50000: connect: connection refused");
