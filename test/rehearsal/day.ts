// The operator's first day in a simulated home: the commands that are typed at home, in the same order.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { askHome, environmentOf, scriptIn } from "../simulators/control.ts";

export interface Step {
  /** The procedure, as `task` knows it. */
  name: string;
  words: string[];
  /** The person first fills in what only a person can fetch. */
  person?: boolean;
}

/** Every command answers yes to questions. */
export const DAY: Step[] = [
  { name: "secrets:init", words: ["--yes"] },
  { name: "secrets:check", words: [], person: true },
  { name: "talos:talosconfig", words: ["--yes"] },
  { name: "talos:prepare-iso", words: ["--yes"] },
  { name: "vm:deploy", words: ["--yes"] },
  { name: "bootstrap", words: ["--yes", "--output", "json"] },
];

export interface Ran {
  name: string;
  code: number | null;
  /** Set when it was killed. */
  killed: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface RunOptions {
  env?: Record<string, string>;
  onLine?: ((line: string) => void) | undefined;
  /** Called with the process ID as soon as the process runs. */
  onStart?: (pid: number) => Promise<void>;
  /** Ends the run when the home breaks, and rejects with the reason. */
  broken?: Promise<never>;
}

/** Runs one procedure in the home, as a process of its own. */
export async function run(
  folder: string,
  name: string,
  words: string[],
  { env = {}, onLine, onStart, broken }: RunOptions = {},
): Promise<Ran> {
  const script = scriptIn(folder, name, words);
  const began = performance.now();
  const child = spawn(script.file, script.args, { cwd: script.cwd, env: { ...script.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const ran: Ran = { name, code: null, killed: null, stdout: "", stderr: "", seconds: 0 };
  child.stdout.on("data", (text: Buffer) => (ran.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => {
    ran.stderr += text.toString();
    for (const line of text.toString().split("\n")) if (line.trim()) onLine?.(line.trimEnd());
  });
  const closed = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      [ran.code, ran.killed] = [code, signal];
      if (signal) resolve(); // children of a killed run keep its pipes open
    });
    child.once("close", () => resolve());
  });
  await onStart?.(child.pid!);
  try {
    await (broken ? Promise.race([closed, broken]) : closed);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  ran.seconds = (performance.now() - began) / 1000;
  return ran;
}

/** Runs one step of the day, including the person's part. */
export async function runStep(folder: string, step: Step, options: RunOptions = {}): Promise<Ran> {
  if (step.person) await askHome(folder, "person");
  return run(folder, step.name, step.words, options);
}

export interface FinalState {
  nodes: string;
  flux: string;
  commands: number;
  op: number;
}

/** The state of the cluster at the end, read with kubectl as a person would. */
export async function finalState(folder: string): Promise<FinalState> {
  const { commands, op } = (await askHome(folder, "count")) as { commands: number; op: number };
  type Items = { items: { status?: { conditions?: { type: string; status: string }[] } }[] };
  const ready = (list: Items) =>
    `${list.items.filter((item) => item.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")).length}/${list.items.length}`;
  const get = async (kinds: string) => JSON.parse(await kubectl(folder, ["get", kinds, "--all-namespaces", "--output", "json"])) as Items;
  return { nodes: ready(await get("nodes")), flux: ready(await get(FLUX_KINDS)), commands, op };
}

/** The kinds that bootstrap:flux waits for. */
const FLUX_KINDS =
  "fluxinstances.fluxcd.controlplane.io,gitrepositories.source.toolkit.fluxcd.io,ocirepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io,helmreleases.helm.toolkit.fluxcd.io";

async function kubectl(folder: string, words: string[]): Promise<string> {
  const child = spawn(join(folder, "bin/kubectl"), words, { env: environmentOf(folder), stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (more: Buffer) => (text += more.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}
