// Reads a talosconfig: its cluster, endpoints and expiry. It is read before talosctl runs, because talosctl creates an empty file if it is missing.
import { type Cluster, reference } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { readYaml, Unreadable } from "../run/tool-output.ts";

interface TalosContext {
  ca?: string;
  crt?: string;
  key?: string;
  endpoints?: string[];
  nodes?: string[];
}
interface Talosconfig {
  context?: string;
  contexts?: Record<string, TalosContext> | null;
}

const DAY = 86_400_000;
/** Renewed when it has less left than this. */
export const RENEW_DAYS = 30;
const NEXT = "task talos:talosconfig";

/** Throws for a text that is not empty and not a map. */
async function read(text: string, command = "$TALOSCONFIG", file = true): Promise<Talosconfig> {
  const [config = {}] = await readYaml<Talosconfig>(text, { command, file, secret: true });
  return config;
}

const current = ({ context, contexts }: Talosconfig) => contexts?.[context ?? ""];

/** When the certificate in it ends, in milliseconds since the epoch; undefined when it holds none. */
export async function expiryOf(text: string): Promise<number | undefined> {
  const crt = current(await read(text))?.crt;
  if (!crt) return undefined;
  const { X509Certificate } = await import("node:crypto");
  return Date.parse(new X509Certificate(Buffer.from(crt, "base64")).validTo);
}

/** Whole days until then, never negative; 0 when there is no certificate. */
export const dueInDays = (expiry: number | undefined, now: number) => Math.max(0, Math.floor(((expiry ?? now) - now) / DAY));

/** The text of $TALOSCONFIG. Throws if it is missing, empty or expired. Does not check which cluster it belongs to. */
export async function expectTalosconfig({ env }: Pick<Context, "env">): Promise<string> {
  const file = env.TALOSCONFIG!;
  const fail = (said: string) => new Failure({ attempted: "speak to the nodes", said, now: "nothing was changed", next: NEXT });
  const text = await readIfThere(file);
  if (text === undefined) throw fail(`there is no ${file}`);
  const expiry = await expiryOf(text).catch(() => undefined);
  if (expiry === undefined) throw fail(`${file} holds no certificate (talosctl makes an empty one by itself)`);
  if (expiry <= Date.now()) throw fail(`the certificate in ${file} expired on ${new Date(expiry).toISOString().slice(0, 10)}`);
  return text;
}

export type Home = Pick<Context, "env" | "cluster" | "vault">;

/** Throws unless $TALOSCONFIG is proven to be this cluster's: it trusts the CA in the vault, so TLS refuses every node without our key. */
export async function expectOurTalosconfig(context: Home): Promise<void> {
  const identity = await identityOf(context);
  if ("unknown" in identity) throw identity.unknown;
}

/** Whether $TALOSCONFIG is this cluster's; `unknown` if the vault cannot be read. Throws if it is another cluster's, because a contradiction always blocks. */
export async function identityOf(context: Home): Promise<{ proven: true } | { unknown: Failure }> {
  const { env, cluster, vault } = context;
  const text = await expectTalosconfig(context);
  const ca = reference(cluster, "talos", "MACHINE_CA_CRT");
  const authority = await vault.resolve([ca]).then(
    (values) => values.get(ca),
    (error: unknown) => {
      if (error instanceof Failure) return error;
      throw error;
    },
  );
  if (authority instanceof Failure) return { unknown: authority };
  if (squeeze(current(await read(text))?.ca) === squeeze(authority)) return { proven: true };
  throw new Failure({
    attempted: `use ${env.TALOSCONFIG} for ${cluster.name}`,
    said: `it trusts another authority than ${cluster.name}'s in the vault`,
    now: "nothing was changed",
    next: `move it away or set TALOSCONFIG, then: ${NEXT}`,
  });
}

/** Why this talosconfig must be created or renewed, and whether it is another cluster's; undefined if it is good. */
export async function faultOfTalosconfig(
  text: string | undefined,
  cluster: Pick<Cluster, "nodes" | "name">,
  ca: string,
  now: number,
): Promise<{ says: string; foreign?: boolean } | undefined> {
  if (text === undefined) return { says: "there is none" };
  const config = await read(text).catch((error: unknown) => {
    if (error instanceof Unreadable) return undefined;
    throw error;
  });
  if (!config) return { says: "it is not a talosconfig", foreign: true }; // it is unknown what this file is, so it must not be overwritten
  const context = current(config);
  if (!context?.crt) return { says: "it is empty" };
  if (squeeze(context.ca) !== squeeze(ca))
    return { says: `it is for a cluster with another authority than ${cluster.name}'s in the vault`, foreign: true };
  const days = dueInDays(await expiryOf(text), now);
  if (days < RENEW_DAYS) return { says: days === 0 ? "its certificate has expired" : `its certificate expires in ${days} days` };
  const missing = cluster.nodes.filter(({ address }) => !context.endpoints?.includes(address));
  if (missing.length > 0) return { says: `it does not name ${missing.map(({ name }) => name).join(", ")}` };
  const strange = context.endpoints!.filter((endpoint) => !cluster.nodes.some(({ address }) => address === endpoint));
  return strange.length > 0 ? { says: `it names ${strange.join(", ")}, which no node has` } : undefined;
}

/** `held` with a context as talosctl made it, current and leading to the nodes' own addresses: never the VIP, which moves. Contexts of other clusters stay. */
export async function withContext(held: string | undefined, made: string, addresses: string[]): Promise<string> {
  const { stringify } = await import("yaml");
  const command = "talosctl gen config";
  const { context = "", contexts } = await read(made, command, false);
  if (!contexts?.[context]?.crt) throw new Unreadable({ attempted: `read the output of \`${command}\``, said: "it holds no certificate" });
  const own = { ...contexts?.[context], endpoints: addresses, nodes: addresses };
  const before = held === undefined ? {} : await read(held);
  return stringify(
    { ...before, context, contexts: { ...before.contexts, [context]: own } },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/** The keys of a talosconfig that are secret. */
export async function keysOf(text: string): Promise<string[]> {
  return Object.values((await read(text)).contexts ?? {}).flatMap(({ key }) => key ?? []);
}

const squeeze = (base64 = "") => base64.replaceAll(/\s/g, "");
