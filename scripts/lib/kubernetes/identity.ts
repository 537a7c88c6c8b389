// Which cluster a kubeconfig belongs to, from the file alone.
import type { Cluster } from "../cluster/cluster.ts";

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context?: { cluster?: string } }[] | null;
  clusters?: { name: string; cluster?: Server }[] | null;
}

interface Server {
  server?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
}

/** Why a kubeconfig's current context does not prove that it belongs to this cluster; undefined if it does. The vault is read last. */
export async function strangeness(
  text: string,
  cluster: Pick<Cluster, "endpoint" | "name">,
  authority: () => Promise<string>,
): Promise<string | undefined> {
  const config = await readKubeconfig(text);
  if (!config) return "it is not a kubeconfig";
  const held = serverOf(config);
  if (!held) return "it has no current context";
  if (held.server !== cluster.endpoint.url) return `its server is ${held.server}, talos/cluster.yaml says ${cluster.endpoint.url}`;
  if (held["insecure-skip-tls-verify"]) return "it does not verify the server's certificate (insecure-skip-tls-verify)";
  if (squeeze(held["certificate-authority-data"]) !== squeeze(await authority()))
    return `it trusts another authority than ${cluster.name}'s in the vault`;
  return undefined;
}

async function readKubeconfig(text: string): Promise<Kubeconfig | undefined> {
  const { parse } = await import("yaml");
  try {
    const config: unknown = parse(text, { logLevel: "silent" });
    return typeof config === "object" && config !== null ? config : undefined;
  } catch {
    return undefined; // the caller says so
  }
}

/** The server of the current context; undefined if two entries have the same name, because it is unknown which of them kubectl uses. */
function serverOf(config: Kubeconfig): Server | undefined {
  const only = <T extends { name: string }>(all: readonly T[] | null | undefined, name: string | undefined) => {
    const found = Array.isArray(all) ? all.filter((one: T) => one.name === name) : [];
    return found.length === 1 ? found[0] : undefined;
  };
  const context = only(config.contexts, config["current-context"])?.context;
  return only(config.clusters, context?.cluster)?.cluster;
}

const squeeze = (base64: unknown) => (typeof base64 === "string" ? base64.replaceAll(/\s/g, "") : undefined);
