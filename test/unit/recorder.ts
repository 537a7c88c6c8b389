// Runs a procedure in this process against answers in place of commands, and keeps what it wanted: which door, which line, what on stdin.
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { appendFileSync } from "node:fs";
import { type ChildProcess, spawn as realSpawn } from "node:child_process";
import type { Context } from "../../scripts/lib/run/context.ts";
import type { Cluster } from "../../scripts/lib/cluster/cluster.ts";
import { openGate } from "../../scripts/lib/run/effects.ts";
import type { Entry } from "../../scripts/lib/ledger/entry.ts";
import type { Ledger } from "../../scripts/lib/ledger/ledger.ts";
import type { Options, Values } from "../../scripts/lib/run/options.ts";
import type { Event } from "../../scripts/lib/run/report.ts";
import { commandLine, openShell, type Spawn } from "../../scripts/lib/run/shell.ts";
import { Stop } from "../../scripts/lib/run/errors.ts";
import { useHandshake } from "../../scripts/lib/talos/handshake.ts";
import { withHolds } from "../../scripts/lib/run/hold.ts";
import { confirm } from "../../scripts/lib/run/confirm.ts";
import { askGates } from "../../scripts/lib/run/gates.ts";
import type { Question } from "../../scripts/lib/run/plan.ts";
import { type Clock, useClock } from "../../scripts/lib/run/wait.ts";
import { kubeconfigFor, testCluster, testVersions } from "./test-cluster.ts";
import type { Procedure } from "../../scripts/lib/run/spec.ts";

/** What a command says: its stdout, or more. */
export type Answer = string | { out?: string; err?: string; code?: number };

/** From the start of a command line to its answers; several are given in order, the last one again and again. */
export type Answers = Record<string, Answer | Answer[]>;

export interface Recording {
  /** `ask talosctl …` for reads, `act cat | talosctl …` for effects, in order. */
  commands: string[];
  /** What was given on stdin, by command line without its door. */
  stdin: Record<string, string>;
  effects: Event[];
  said: string[];
  plans: Question[];
  results: unknown[];
  ledger: Entry[];
  context: Context;
  run<O extends Options>(spec: Procedure<O>, values: Values<O>): Promise<unknown>;
}

export interface RecordSetup {
  answers?: Answers;
  cluster?: Cluster;
  secrets?: Record<string, string> | ((reference: string) => string);
  dryRun?: boolean;
  /** Whether the person says yes. */
  yes?: boolean;
  /** What happens while the question is open. With it a person was asked, so the product looks again; without it the answer was given beforehand (YES=1). */
  whileAsking?: () => void | Promise<void>;
  waive?: string[];
  root?: string;
  env?: NodeJS.ProcessEnv;
}

/** Opens the spine with a recorder in place of processes. A command nobody gave an answer for fails the test by name. */
export async function record(setup: RecordSetup = {}): Promise<Recording> {
  const {
    answers = {},
    cluster = testCluster(),
    secrets = (ref) => `value of ${ref}`,
    dryRun = false,
    yes = true,
    whileAsking,
    waive = [],
    root = process.cwd(),
    env = {},
  } = setup;
  const recording = {
    commands: [] as string[],
    stdin: {} as Record<string, string>,
    effects: [] as Event[],
    said: [] as string[],
    plans: [] as Question[],
    results: [] as unknown[],
    ledger: [] as Entry[],
  };
  const queue = Object.fromEntries(Object.entries(answers).map(([line, answer]) => [line, Array.isArray(answer) ? [...answer] : [answer]]));
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const report = { file: undefined, write: (event: Event) => void recording.effects.push(event) };
  openGate(report, dryRun, signal);
  const before = () => recording.effects.filter((event) => event.event === "effect" && event.phase === "before").length;
  let seen = before();
  const spawn = ((file: string, _args: string[], options: object) => {
    const line = commandLine(file);
    const acts = before() > seen;
    seen = before();
    recording.commands.push(`${acts ? "act" : "ask"} ${line}`);
    keepForConformance(line);
    const key = Object.keys(queue)
      .filter((start) => line.startsWith(start))
      .sort((a, b) => b.length - a.length)[0];
    if (key === undefined) return play({ err: `no answer was given for: ${line}`, code: 99 }, options);
    const list = queue[key]!;
    const child = play(list.length > 1 ? list.shift()! : list[0]!, options);
    keepStdin(child, (text) => void (recording.stdin[line] = text));
    return child;
  }) as Spawn;
  useClock(stillClock(20)); // a deadline of ten minutes is a handful of looks
  useHandshake(async (address) => fingerprintOf(address));
  await openShell({ signal, env: { PATH: process.env.PATH, ...env }, cwd: root, spawn });
  let running: Pick<Procedure, "name" | "gates"> = { name: "test" };
  const context: Context = {
    root,
    cluster,
    versions: testVersions,
    dryRun,
    rest: [],
    waive,
    confirm: (decide) => confirm(context, running, decide),
    checkGates: (plan) => askGates(context, running.gates ?? [], plan, running.name),
    holds: [],
    env: {
      KUBECONFIG: kubeconfigFor(cluster),
      TALOSCONFIG: "/home/op/talosconfig",
      SOPS_AGE_KEY_FILE: "/home/op/age.key",
      HOME_OPS_STATE: "/home/op/state",
      ...env,
    },
    signal,
    report,
    vault: {
      async resolve(references) {
        return new Map([...references].map((ref) => [ref, typeof secrets === "function" ? secrets(ref) : (secrets[ref] ?? missing(ref))]));
      },
    },
    ledger: memoryLedger(recording.ledger),
    ui: {
      json: false,
      say: (line) => void recording.said.push(line),
      warn: (line) => void recording.said.push(`warning: ${line}`),
      debug: () => {},
      progress: () => {},
      result: (value, forPeople) => void (recording.results.push(value), recording.said.push(forPeople)),
      async confirm(plan) {
        const { title, lines, destroys } = plan;
        recording.plans.push({ title, lines, ...(destroys && { destroys }) });
        if (dryRun) throw new Stop("dry run: nothing was changed", { pending: true });
        if (!yes) throw new Stop("nothing was changed");
        if (!whileAsking) return "given";
        await whileAsking();
        return "asked";
      },
    },
  };
  const run = <O extends Options>(spec: Procedure<O>, values: Values<O>) => {
    running = spec;
    return withHolds(context, (scope) => spec.run(values, scope)).catch((error: unknown) => error);
  };
  return { ...recording, context, run };
}

/** The fingerprint of the certificate that a machine shows here. */
export const fingerprintOf = (address: string) => createHash("sha256").update(address).digest("base64");

/** The conformance suite runs these tests to learn what the product says to its tools: `HOME_OPS_CORPUS` is the file that it reads. */
function keepForConformance(line: string): void {
  const { HOME_OPS_CORPUS: file } = process.env;
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

const missing = (ref: string): never => {
  throw new Error(`no secret was given for ${ref}`);
};

/** A small `sh` that says what it was told to; real enough for zx, without the tool. */
function play(answer: Answer, options: object): ChildProcess {
  const { out = "", err = "", code = 0 } = typeof answer === "string" ? { out: answer } : answer;
  return realSpawn("sh", ["-c", 'printf %s "$OUT"; printf %s "$ERR" >&2; exit "$CODE"'], {
    ...options,
    shell: false,
    env: { PATH: process.env.PATH, OUT: out, ERR: err, CODE: String(code) },
  } as object);
}

function keepStdin(child: ChildProcess, keep: (text: string) => void): void {
  let text = "";
  const { stdin } = child;
  if (!stdin) return;
  const write = stdin.write.bind(stdin);
  stdin.write = ((chunk: string | Buffer, ...rest: []) => {
    text += chunk.toString();
    keep(text);
    return write(chunk, ...rest);
  }) as typeof stdin.write;
  const end = stdin.end.bind(stdin);
  stdin.end = ((chunk?: string | Buffer, ...rest: []) => {
    if (typeof chunk === "string" || Buffer.isBuffer(chunk)) {
      text += chunk.toString();
      keep(text);
    }
    return end(chunk as string, ...rest);
  }) as typeof stdin.end;
}

function memoryLedger(entries: Entry[]): Ledger {
  let next = 1;
  const replace = (id: string, ...by: Entry[]) => {
    const at = entries.findIndex((entry) => entry.id === id);
    if (at >= 0) entries.splice(at, 1, ...by);
  };
  return {
    async open(entry) {
      const written = { id: String(next++), at: "2026-01-01T00:00:00.000Z", ...entry };
      entries.push(written);
      return written;
    },
    async amend(entry, facts) {
      const amended = { ...entry, facts: { ...entry.facts, ...facts } } as Entry;
      replace(entry.id, amended);
      return amended;
    },
    async keep(entry) {
      const kept = { ...entry, onPurpose: true };
      replace(entry.id, kept);
      return kept;
    },
    close: async ({ id }) => replace(id),
    torn: () => [],
    entries: () => [...entries],
  };
}

/** A clock that moves only when someone sleeps: waiting costs nothing, deadlines still come. */
export function stillClock(pace = 1): Clock & { pauses: number[] } {
  let now = 0;
  const pauses: number[] = [];
  return { pauses, now: () => now, sleep: async (ms) => void (pauses.push(Math.round(ms)), (now += ms * pace)) };
}
