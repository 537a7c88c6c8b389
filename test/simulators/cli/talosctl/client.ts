// How talosctl reaches nodes: its configuration file, the endpoints it dials, the nodes it requests, and the errors on the way, word for word.
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { lt } from "semver";
import { parse } from "yaml";
import { addressesOf, configOf } from "../../world/talos/machines.ts";
import { dialed, forwarded, unreachable, untrusted } from "../../world/talos/reach.ts";
import { type Call, Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import { talosOf } from "../../world/talos/version.ts";
import { fingerprintOf } from "../../wire/talos/certificate.ts";
import { goError, isMissing } from "../go-errors.ts";
import type { Words } from "../flags.ts";
import { wordsOf } from "../../world/talos/grpc-status.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

/** What talosctl prints on stderr before it exits 1. */
export class TalosError extends Error {}

export interface TalosCall {
  world: World;
  call: Call;
  words: Words;
  /** The words after the command. */
  rest: string[];
}

export interface TalosContext {
  endpoints?: string[] | null;
  nodes?: string[] | null;
  /** Base64 of PEM, each. */
  ca: string;
  crt: string;
  key: string;
}

export interface Talosconfig {
  context?: string;
  contexts?: Record<string, TalosContext>;
}

/** A requested node, and the machine at its address. */
export type Target =
  | { node: string; machine: MachineState }
  | { node: string; error: string; /** No endpoint answered at all: the error stands alone. */ alone?: boolean };

const EMPTY = 'context: ""\ncontexts: {}\n';

/** Opens the file that `--talosconfig` names, and makes it when it is not there; else $TALOSCONFIG, else ~/.talos/config, of which the first is made when none is there. */
export async function openTalosconfig({ call, words }: TalosCall): Promise<Talosconfig> {
  const named = words.text("talosconfig");
  const paths = named ? [named] : [...(call.env.TALOSCONFIG ? [call.env.TALOSCONFIG] : []), join(call.env.HOME ?? "/", ".talos/config")];
  for (const path of paths) {
    try {
      return (parse(await call.read(path)) ?? {}) as Talosconfig;
    } catch (error) {
      if (!isMissing(error)) throw new TalosError(`failed to open config file ${JSON.stringify(named ?? "")}: ${goError(path, error)}`);
    }
  }
  await call.write(paths[0]!, EMPTY, 0o600).catch((error: unknown) => {
    if (!isMissing(error)) throw error; // the real one creates the folder too; nothing here reads it
  });
  return { context: "", contexts: {} };
}

export const contextOf = (config: Talosconfig, name = config.context ?? ""): TalosContext | undefined => config.contexts?.[name];

/** The nodes of a command and the machines that answer. Refuses in advance what the real client refuses. */
export async function reach(talos: TalosCall, insecure = talos.words.on("insecure")): Promise<Target[]> {
  const { world, words } = talos;
  if (insecure) return reachInMaintenance(world, words.list("nodes"), words.list("cert-fingerprint"));
  const config = await openTalosconfig(talos);
  const context = contextOf(config, words.text("context"));
  const endpoints = words.list("endpoints").length > 0 ? words.list("endpoints") : (context?.endpoints ?? []);
  if (endpoints.length === 0) throw new TalosError("error constructing client: failed to determine endpoints");
  if (!context)
    throw new TalosError(
      "error constructing client: failed to create client connection: failed to resolve configuration context: talos config file is empty",
    );
  const nodes = words.list("nodes").length > 0 ? words.list("nodes") : (context.nodes ?? []);
  if (nodes.length === 0)
    throw new TalosError(
      "nodes are not set for the command: please use `--nodes` flag or configuration file to set the nodes to run the command against",
    );
  const refused = endpoints.map((endpoint) => dial(world, endpoint, context));
  if (!refused.includes(undefined)) return nodes.map((node) => ({ node, error: refused[0]!, alone: true }));
  return nodes.map((node) => {
    const there = forwarded(world, node, decode(context.ca));
    return "code" in there ? { node, error: wordsOf(there) } : { node, machine: there.machine };
  });
}

const hostOf = (endpoint: string) => endpoint.replace(/:\d+$/, "");

/** In maintenance the nodes are the endpoints, and the client talks to one of them; it takes only a certificate with one of these fingerprints, if any are given. */
function reachInMaintenance(world: World, nodes: string[], fingerprints: string[]): Target[] {
  const strange = fingerprints.find((fingerprint) => Buffer.from(fingerprint, "base64").toString("base64") !== fingerprint);
  if (strange !== undefined) throw new Untaught(`the fingerprint ${strange}`);
  const [node] = nodes;
  if (node === undefined) throw new TalosError("failed to determine endpoints");
  const there = dialed(world, hostOf(node));
  if ("code" in there) return [{ node, error: wordsOf(there) }];
  if (fingerprints.length > 0 && !fingerprints.includes(fingerprintOf(world, there.machine)))
    return [{ node, error: wordsOf(unreachable(`transport: authentication handshake failed: ${MISMATCH} [${fingerprints.join(" ")}]`)) }];
  if (there.machine.stage === "running")
    return [{ node, error: wordsOf(unreachable("error reading server preface: remote error: tls: certificate required")) }];
  return [{ node: addressesOf(there.machine)[0]!, machine: there.machine }];
}

/** The error if the endpoint refuses our certificate or we refuse its; otherwise undefined. */
function dial(world: World, endpoint: string, context: TalosContext): string | undefined {
  const host = hostOf(endpoint);
  const there = dialed(world, host);
  if ("code" in there) return wordsOf(there);
  const config = there.machine.stage === "running" ? configOf(there.machine) : undefined;
  if (!config) return wordsOf(untrusted("certificate signed by unknown authority"));
  const ours = decode(context.ca);
  if (ours !== config.ca.crt.trim()) {
    return wordsOf(
      untrusted(
        'certificate signed by unknown authority (possibly because of "x509: Ed25519 verification failure" while trying to verify candidate authority certificate "talos")',
      ),
    );
  }
  const client = new X509Certificate(decode(context.crt));
  if (!client.verify(new X509Certificate(config.ca.crt).publicKey))
    return wordsOf(unreachable("error reading server preface: remote error: tls: unknown certificate authority"));
  if (Date.parse(client.validTo) < world.now())
    return wordsOf(unreachable("error reading server preface: remote error: tls: expired certificate"));
  return undefined;
}

const MISMATCH = "leaf peer certificate doesn't match the provided fingerprints:";

const decode = (text: string) => Buffer.from(text, "base64").toString().trim();

/** Go's list of errors, as it ends a command. */
export const listErrors = (errors: string[]) =>
  `${errors.length} error${errors.length === 1 ? "" : "s"} occurred:\n${errors.map((error) => `\t* ${error}\n`).join("")}\n`;

/** For calls that endpoints fan out: the machines that answered, and one error for those that did not. */
export function fanOut(
  targets: Target[],
  insecure: boolean,
): { answered: { node: string; machine: MachineState }[]; error: string | undefined } {
  const answered = targets.flatMap((target) => ("machine" in target ? [target] : []));
  const errors = targets.flatMap((target) => ("error" in target ? [target] : []));
  const [first] = errors;
  if (!first) return { answered, error: undefined };
  return { answered, error: insecure || first.alone ? first.error : listErrors(errors.map(({ node, error }) => `${node}: ${error}`)) };
}

/** The version of the stand-in: that of the binary that mise installs for the home's Talos. */
export const clientOf = ({ env }: Pick<Call, "env">) => (/^v\d+\.\d+\.\d+/.test(env.TALOS_VERSION ?? "") ? env.TALOS_VERSION! : "v1.13.9");

/** A client that is newer than a node says so. */
export function warnOlder({ call }: TalosCall, targets: Target[]): void {
  const client = clientOf(call);
  for (const target of targets) {
    const tag = "machine" in target ? talosOf(target.machine) : client;
    if (lt(tag, client))
      call.err(`WARNING: ${target.node}: server version ${tag.slice(1)} is older than client version ${client.slice(1)}\n`);
  }
}

/** The one node of a command that takes no more. */
export function onlyOne(targets: Target[], command: string): { node: string; machine: MachineState } | { error: string } {
  if (targets.length > 1) throw new TalosError(`command ${JSON.stringify(command)} is not supported with multiple nodes`);
  const { answered, error } = fanOut(targets, false);
  return answered[0] ?? { error: error! };
}
