// What a talosconfig says of itself: whose it is, whom it reaches, how long it lasts.
import type { Cluster } from "../cluster/cluster.ts";

interface Talosconfig {
  context?: string;
  contexts?: Record<string, { ca?: string; crt?: string; key?: string; endpoints?: string[] }>;
}

const DAY = 86_400_000;
/** Renewed when it has less left than this. */
export const RENEW_DAYS = 30;

async function own(text: string) {
  const { parse } = await import("yaml");
  const config = parse(text) as Talosconfig | null;
  return config?.contexts?.[config.context ?? ""];
}

/** When the certificate in it ends, in milliseconds since the epoch; undefined when it holds none. */
export async function expiryOf(text: string): Promise<number | undefined> {
  const crt = (await own(text))?.crt;
  if (!crt) return undefined;
  const { X509Certificate } = await import("node:crypto");
  return Date.parse(new X509Certificate(Buffer.from(crt, "base64")).validTo);
}

/** Whole days until then, never negative; 0 when there is no certificate. */
export const dueInDays = (expiry: number | undefined, now: number) => Math.max(0, Math.floor(((expiry ?? now) - now) / DAY));

/** Why this talosconfig must be made (again), and whether it is another cluster's; undefined when it is good. */
export async function faultOfTalosconfig(text: string | undefined, cluster: Pick<Cluster, "nodes" | "name">, ca: string, now: number): Promise<{ says: string; foreign?: boolean } | undefined> {
  if (text === undefined) return { says: "there is none" };
  const context = await own(text);
  if (!context?.crt) return { says: "it is empty" };
  if (squeeze(context.ca) !== squeeze(ca)) return { says: `it is for a cluster with another authority than ${cluster.name}'s in the vault`, foreign: true };
  const days = dueInDays(await expiryOf(text), now);
  if (days < RENEW_DAYS) return { says: days === 0 ? "its certificate has expired" : `its certificate expires in ${days} days` };
  const missing = cluster.nodes.filter(({ address }) => !context.endpoints?.includes(address));
  return missing.length ? { says: `it does not name ${missing.map(({ name }) => name).join(", ")}` } : undefined;
}

const squeeze = (base64 = "") => base64.replaceAll(/\s/g, "");
