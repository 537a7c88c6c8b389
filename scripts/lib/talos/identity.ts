// Identifies a machine without a config: the fingerprint of its certificate, its NICs and the data on its disks, all read from the same machine.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { ask } from "../run/shell.ts";
import { pause } from "../run/wait.ts";
import { canPinReads } from "./client.ts";
import { type Concerned, contentsOf, type Disk, type DiskContents, type Read, type Volume } from "./disks.ts";
import { fingerprintAt } from "./handshake.ts";
import { readJsonStream, Unreadable } from "../run/tool-output.ts";
import { insecureTalosArgs, shortened, outputOf } from "./node.ts";

type Home = Pick<Context, "env" | "signal">;
type Place = Pick<Node, "address">;

export interface Machine {
  /** As `--cert-fingerprint` takes it. */
  fingerprint: string;
  /** Its NICs, in lower case. */
  macs: Read<string>;
  /** Of the disks that were asked about. */
  disks: DiskContents[];
}

/** Why the machine could not be identified. `away` may pass; otherwise two machines may answer at the address. */
export interface Unidentified {
  said: string;
  away: boolean;
}

/** Talos creates a new certificate when its clock is set or it gets an address, so one change proves nothing. */
const LOOKS = 3;

/**
 * Reads a machine in maintenance mode. Before talosctl 1.14 the reads themselves cannot be bound to a certificate, so the fingerprint is read before and
 * after them: only when both are the same did one machine answer throughout.
 */
export async function identify(context: Home, node: Place, concerned: Concerned): Promise<Machine | Unidentified> {
  for (let look = 1; look <= LOOKS; look += 1) {
    const before = await fingerprint(context, node);
    if ("said" in before) return before;
    const facts = await factsOf(context, node, concerned, before.fingerprint);
    const after = await fingerprint(context, node);
    if ("said" in after) return after;
    if (after.fingerprint === before.fingerprint) return { fingerprint: after.fingerprint, ...facts };
    await pause(1000, context.signal);
  }
  return {
    said: `the certificate at ${node.address} changed in each of ${LOOKS} looks: two machines may have this address`,
    away: false,
  };
}

async function fingerprint(context: Home, { address }: Place): Promise<{ fingerprint: string } | Unidentified> {
  try {
    return { fingerprint: await fingerprintAt(address, context) };
  } catch (error) {
    context.signal.throwIfAborted();
    return { said: `its certificate could not be read: ${(error as Error).message}`, away: true };
  }
}

interface Link {
  spec: { hardwareAddr?: string; permanentAddr?: string };
}

async function factsOf(context: Home, node: Place, concerned: Concerned, pin: string): Promise<Omit<Machine, "fingerprint">> {
  const pinned = (await canPinReads(context)) ? ["--cert-fingerprint", pin] : [];
  const read = <T>(kind: keyof typeof NEEDED) => readOpenly<T>(context, node, kind, pinned);
  const [links, disks, volumes] = await Promise.all([read<Link>("links"), read<Disk>("disks"), read<Volume>("discoveredvolumes")]);
  return { macs: macsOf(links), disks: contentsOf(concerned, disks, volumes) };
}

/** The required shape of an answer. */
const NEEDED = {
  links: { spec: {} },
  disks: { metadata: { id: "" }, spec: { dev_path: "" } },
  discoveredvolumes: { metadata: { id: "" }, spec: {} },
} as const;

/** Reads once more before it is unknown, because a single answer may get lost. */
async function readOpenly<T>(context: Home, node: Place, kind: keyof typeof NEEDED, pinned: string[]): Promise<Read<T>> {
  const once = () =>
    ask({ timeout: "20s" })`talosctl ${insecureTalosArgs(context, node)} get ${kind} ${["--insecure", ...pinned]} --output json`.nothrow();
  let got = await once();
  if (got.exitCode !== 0) {
    await pause(1000, context.signal);
    got = await once();
  }
  if (got.exitCode !== 0) return { said: shortened(outputOf(got)) };
  try {
    return { got: readJsonStream<T>(got.stdout, { command: `talosctl get ${kind} --insecure --nodes ${node.address}` }, NEEDED[kind]) };
  } catch (error) {
    if (error instanceof Unreadable) return { said: error.message };
    throw error;
  }
}

function macsOf(links: Read<Link>): Read<string> {
  if ("said" in links) return links;
  const macs = links.got
    .flatMap(({ spec }) => [spec.permanentAddr, spec.hardwareAddr])
    .filter((mac) => mac !== undefined && mac !== "" && !/^(00:)+00$/.test(mac))
    .map((mac) => mac!.toLowerCase());
  return { got: [...new Set(macs)] };
}

/**
 * Why the machine that answers is not the node: addresses come by DHCP, and a config installs over its disk and holds every key of the cluster.
 * Undefined when its NIC is the node's. A machine that does not report its NICs could be any, so it is refused too, unless the person vouches for it (`WAIVE=nic`).
 */
export function wrongMachine(
  { macs }: Pick<Machine, "macs">,
  node: Pick<Node, "name" | "address" | "mac">,
  waive: string[],
): string | undefined {
  const got = "got" in macs ? macs.got : [];
  if (got.includes(node.mac)) return undefined;
  if (got.length > 0)
    return `the machine at ${node.address} has NIC ${got.join(", ")}, talos/cluster.yaml says ${node.mac}: another machine may have this address`;
  if (waive.includes("nic")) return undefined;
  const why = "said" in macs ? `: ${macs.said}` : "";
  return `the machine at ${node.address} does not report its NICs${why}; look at its console, and if it is ${node.name}: WAIVE=nic`;
}
