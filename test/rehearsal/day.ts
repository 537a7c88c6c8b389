// The operator's first day, command by command, in a simulated home: what is typed at home, and in this order.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { whereTools } from "../tools/find.ts";
import { askHome, environmentOf, scriptIn } from "../simulators/control.ts";
import { finderOf } from "../simulators/forms.ts";

export interface Step {
  /** The procedure, as `task` knows it. */
  name: string;
  words: string[];
  /** What the person does before it with their own hands. */
  person?: boolean;
}

/** Every command answers yes where it asks; `person` fills in what only a person can fetch. */
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

/** A home of its own in a new folder; `close` ends it and removes all of it. */
export interface Lodging {
  folder: string;
  /** Rejects with what the home said when it ends by itself. */
  broken: Promise<never>;
  close(): Promise<void>;
}

/** Only stops a start that hangs: a home starts in a second on a machine with nothing else to do. */
const START_SECONDS = 120;

/** Starts a home as a process of its own, in `folder` or a new one, which the home makes itself. It ends when this process ends, and removes its folder. */
export async function lodge({
  folder = newFolder(),
  copyOf,
  project,
  truenas = "25.10",
  faults = [] as string[],
  keep = false,
  real = false,
  signal,
}: {
  folder?: string;
  /** Begin as a copy of this home's folder. */
  copyOf?: string;
  project: string;
  truenas?: string;
  faults?: string[];
  keep?: boolean;
  /** With the real command-line tools, and an API server behind them. */
  real?: boolean;
  /** Ends the home, and every run in it. */
  signal?: AbortSignal;
}): Promise<Lodging> {
  const words = [
    "--import",
    "tsx",
    join(project, "test/simulators/home.ts"),
    folder,
    "--truenas",
    truenas,
    "--with-parent",
    ...(keep ? ["--keep"] : []),
    ...(copyOf === undefined ? [] : ["--copy-of", copyOf]),
    ...(real ? ["--real"] : []),
    ...faults.flatMap((fault) => ["--fault", fault]),
  ];
  const home = spawn(process.execPath, words, { cwd: project, stdio: ["pipe", "pipe", "pipe"], env: withoutCaller(real) });
  home.stdin.on("error", () => {}); // the home ended first; `ended` says so
  const end = () => void home.stdin.end();
  signal?.addEventListener("abort", end, { once: true });
  let said = "";
  home.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const ended = new Promise<void>((resolve) => void home.once("close", () => resolve()));
  await isUp(home.stdout, ended).catch((error: Error) => {
    home.kill("SIGKILL");
    throw new Error(`the simulated home did not start: ${said || error.message}`);
  });
  let closing = false;
  const broken = ended.then(() =>
    closing ? new Promise<never>(() => {}) : Promise.reject(new Error(said || "the simulated home is gone")),
  );
  broken.catch(() => {}); // whoever waits for a run listens
  return {
    folder,
    broken,
    async close() {
      closing = true;
      signal?.removeEventListener("abort", end);
      end();
      await ended;
      if (!keep) rmSync(folder, { recursive: true, force: true }); // a home that was killed left it
    },
  };
}

/** A name that nobody has. The folder is made by the home that removes it: one made here would stay when this process is killed before the home starts. */
const newFolder = () => join(tmpdir(), `rehearsal-${randomBytes(6).toString("hex")}`);

/** Settles when the home says that it is up; rejects when it ends first, or hangs. */
async function isUp(stdout: Readable, ended: Promise<void>): Promise<void> {
  const up = new Promise<void>((resolve) => {
    let text = "";
    stdout.on("data", (more: Buffer) => (text += more.toString()).includes("home is up: ") && resolve());
  });
  const gone = ended.then(() => Promise.reject(new Error("it ended")));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${START_SECONDS} s`)), START_SECONDS * 1000);
  });
  try {
    await Promise.race([up, gone, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The home gets nothing of the caller's environment but where to find Node, the real tools if it needs them, and a place for temporary files. */
const withoutCaller = (real: boolean) => ({
  PATH: process.env.PATH,
  TMPDIR: process.env.TMPDIR ?? tmpdir(),
  HOME: process.env.HOME,
  ...(real && whereTools(process.env)),
});

export interface RunOptions {
  env?: Record<string, string>;
  onLine?: ((line: string) => void) | undefined;
  /** Called with the process as soon as it runs. */
  onStart?: (pid: number) => Promise<void>;
  /** Ends the run when the home breaks, and rejects with the reason. */
  broken?: Promise<never>;
}

/** Runs one procedure in the home as a process of its own. */
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
      if (signal) resolve(); // children of a killed run live on and hold its pipes
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

/** One step of the day, the person's part included. */
export async function live(folder: string, step: Step, options: RunOptions = {}): Promise<Ran> {
  if (step.person) await askHome(folder, "person");
  return run(folder, step.name, step.words, options);
}

export interface Ending {
  nodes: string;
  flux: string;
  commands: number;
  op: number;
}

/** How the cluster stands at the end, asked with kubectl as a person would. */
export async function ending(folder: string): Promise<Ending> {
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

/** What must never have happened: a connection that left this machine, a host nobody simulates, a secret where it does not belong. */
export async function misdeeds(folder: string, runs: Ran[]): Promise<string[]> {
  const { refused, unexpected } = (await askHome(folder, "evidence")) as { refused: unknown[]; unexpected: unknown[] };
  const taint = (await askHome(folder, "taint")) as { where: string; secret: string }[];
  const { values } = (await askHome(folder, "secrets")) as { values: { where: string; value: string }[] };
  const finders = values.filter(({ value }) => value.length >= 8).map(({ where, value }) => ({ where, isIn: finderOf(value) }));
  const spoken = runs.flatMap(({ name, stdout, stderr }) =>
    finders.filter(({ isIn }) => isIn(stdout) || isIn(stderr)).map(({ where }) => `${name} printed the secret ${where}`),
  );
  return [
    ...refused.map((one) => `a connection left this machine: ${JSON.stringify(one)}`),
    ...unexpected.map((one) => `a host was asked that nobody simulates: ${JSON.stringify(one)}`),
    ...taint.map(({ where, secret }) => `the secret ${secret} was found in ${where}`),
    ...spoken,
  ];
}
