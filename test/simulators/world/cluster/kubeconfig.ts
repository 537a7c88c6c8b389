// Whether the API server answers to a kubeconfig: the right place, the right CA, a certificate that the cluster signed. What goes wrong is in kubectl's words.
import { X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { addressesOf, apiServerUp, clusterOf, etcdMembers, PACE } from "../talos/machines.ts";
import type { World } from "../world.ts";

export type Access = { ok: true } | { error: string };

interface Kubeconfig {
  "current-context"?: string;
  clusters?: { name: string; cluster: { server: string; "certificate-authority-data"?: string } }[];
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  users?: { name: string; user: { "client-certificate-data"?: string; "client-key-data"?: string } }[];
}

/** What kubectl finds when it calls the API server that this kubeconfig names. An empty text is no kubeconfig at all. */
export function apiServerOf(world: World, text: string): Access {
  const read = readKubeconfig(text);
  if ("error" in read) return read;
  const { server, ca, certificate } = read;
  const url = new URL(server);
  const where = `${url.hostname}:${url.port || "6443"}`;
  const there = apiServerAt(world, url.hostname);
  if (there === "nobody") return { error: `Unable to connect to the server: dial tcp ${where}: connect: no route to host` };
  if (there === "refuses" || world.strikes("api-server-flaps"))
    return { error: `The connection to the server ${where} was refused - did you specify the right host or port?` };
  const cluster = clusterOf(world.state)!;
  if (ca !== cluster.ca.trim())
    return { error: "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority" };
  if (!certificate) return { error: "error: You must be logged in to the server (Unauthorized)" };
  const client = new X509Certificate(certificate);
  const trusted = client.verify(new X509Certificate(cluster.ca).publicKey) && Date.parse(client.validTo) > world.now();
  return trusted ? { ok: true } : { error: "error: You must be logged in to the server (Unauthorized)" };
}

/** What answers on the API server's port at an address: the cluster's endpoint or a control plane. */
export function apiServerAt(world: World, host: string): "answers" | "refuses" | "nobody" {
  const cluster = clusterOf(world.state);
  const node = etcdMembers(world).find((machine) => addressesOf(machine).includes(host));
  const named = cluster !== undefined && (node !== undefined || new URL(cluster.endpoint).hostname === host);
  if (!named && !Object.values(world.state.machines).some((machine) => machine.stage !== "off" && addressesOf(machine).includes(host)))
    return "nobody";
  const late = node && node.etcd!.readyAt + PACE.apiServer > world.now();
  const away = (world.state.cluster.awayUntil ?? 0) > world.now();
  return !named || late || away || !apiServerUp(world) ? "refuses" : "answers";
}

/** The current context's server, CA and client certificate, as PEM. */
function readKubeconfig(text: string): { server: string; ca: string; certificate: string } | { error: string } {
  // without a kubeconfig kubectl tries localhost
  const nothing = { error: "The connection to the server localhost:8080 was refused - did you specify the right host or port?" };
  if (!text.trim()) return nothing;
  const config = parse(text) as Kubeconfig;
  const context = config.contexts?.find(({ name }) => name === config["current-context"])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === context?.user)?.user;
  if (!cluster) return nothing;
  const decode = (data = "") => Buffer.from(data, "base64").toString().trim();
  return {
    server: cluster.server,
    ca: decode(cluster["certificate-authority-data"]),
    certificate: decode(user?.["client-certificate-data"]),
  };
}
