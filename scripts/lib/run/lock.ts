// One changing run at a time, by scope. Each run has a lock file of its own, below $XDG_STATE_HOME so that two checkouts of one home share the folder.
// A run writes its file, reads all others, and gives up if another run holds an overlapping scope. Only then does its own file say that it holds the lock.
// The name of a file is never used twice, so that removing a dead run's file cannot remove the file of a live one.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { hostname, homedir } from "node:os";
import { join } from "node:path";
import { Failure, textOf } from "./errors.ts";
import { readIfThere, replaceFile } from "./files.ts";
import { machineIdentity } from "./machine.ts";
import { lookAtProcess } from "./process-start.ts";
import { readJson } from "./tool-output.ts";
import { pause } from "./wait.ts";

/** `home` conflicts with every other lock, `{ app }` with the same app and with `home`. */
export type LockScope = "home" | { app: string };

export interface Holder {
  procedure: string;
  /** `home`, or the app's name without its namespace: `media/app` and `app` may be the same app. */
  scope: string;
  pid: number;
  /** When the process started, in the system's own format; empty if unknown. */
  started: string;
  machine: string;
  /** The machine's name, for messages. */
  host: string;
  at: string;
  /** The run has read all other files and found no conflict. Until then it may still give up. */
  holds: boolean;
}

const HOLDER = { procedure: "", scope: "", pid: 0, started: "", machine: "", host: "", at: "", holds: false } as const;

/** Another run's lock file. `unknown` is the reason why it is unknown whether the run is alive; it then counts as alive. */
export interface Rival {
  file: string;
  holder?: Holder;
  unknown?: string;
}

type Mine = Required<Omit<Rival, "unknown">>;

export interface Lock {
  release(): void;
}

/** The folder of a cluster's locks. */
export const lockFolder = (env: NodeJS.ProcessEnv, cluster: string) =>
  join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state"), "home-ops", cluster.replaceAll(/[^A-Za-z0-9_.-]/g, "_"));

const ASK_AGAIN_MS = 20;
const GIVE_UP_MS = 10_000;

/** Takes the lock, or throws at once and names the run that holds it. `removed` is called for each dead run whose lock file was removed. */
export async function takeLock(
  folder: string,
  scope: LockScope,
  procedure: string,
  { now = new Date(), removed = (_dead: Holder) => {} } = {},
): Promise<Lock> {
  const me = holderFor(scope, procedure, now);
  const file = join(folder, `${me.scope === "home" ? "home" : `app-${me.scope}`}.${me.pid}.${randomBytes(4).toString("hex")}.lock`);
  try {
    await replaceFile(file, JSON.stringify(me), 0o600);
    await win({ file, holder: me }, removed, folder);
    await replaceFile(file, JSON.stringify({ ...me, holds: true }), 0o600);
    return { release: () => rmSync(file, { force: true }) };
  } catch (error) {
    await rm(file, { force: true }).catch(() => {}); // the error below says what is wrong with the folder
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new Failure({
      attempted: `lock the home for ${procedure}`,
      said: error.message,
      now: "nothing was changed",
      next: `make ${folder} writable, or set XDG_STATE_HOME to a folder that is`,
    });
  }
}

function holderFor(scope: LockScope, procedure: string, now: Date): Holder {
  const here = lookAtProcess(process.pid);
  const started = typeof here === "object" && "started" in here ? here.started : "";
  const word = scope === "home" ? "home" : scope.app.replace(/^.*\//, "");
  return {
    procedure,
    scope: word,
    pid: process.pid,
    started,
    machine: machineIdentity(),
    host: hostname(),
    at: now.toISOString(),
    holds: false,
  };
}

/** Returns once no other run can hold an overlapping scope; throws if one does. */
async function win(mine: Mine, removed: (dead: Holder) => void, folder: string): Promise<void> {
  for (let waited = 0; ; waited += ASK_AGAIN_MS) {
    const verdict = decide(mine, await rivalsIn(folder, mine, removed));
    if (verdict === "free") return;
    if ("heldBy" in verdict || waited >= GIVE_UP_MS) throw refusal("heldBy" in verdict ? verdict.heldBy : verdict.waitFor, mine.holder);
    await pause(ASK_AGAIN_MS);
  }
}

/**
 * Of several runs that start at the same moment, the first one wins. The others see its file and give up, and it waits for that:
 * a run that read the folder before this file was written may hold the lock by now.
 */
export function decide(mine: Mine, rivals: readonly Rival[]): "free" | { heldBy: Rival } | { waitFor: Rival } {
  const overlapping = rivals.filter(
    ({ holder }) => !holder || [holder.scope, mine.holder.scope].includes("home") || holder.scope === mine.holder.scope,
  );
  const key = ({ file, holder }: Rival) => `${holder?.at} ${file}`;
  const heldBy = overlapping.find((rival) => !rival.holder || rival.holder.holds || key(rival) < key(mine));
  if (heldBy) return { heldBy };
  return overlapping[0] ? { waitFor: overlapping[0] } : "free";
}

/** The lock files of all other runs that are, or may be, alive. Removes those of dead runs. */
async function rivalsIn(folder: string, mine: Mine, removed: (dead: Holder) => void): Promise<Rival[]> {
  const rivals: Rival[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const file = join(folder, name);
    if (!name.endsWith(".lock") || file === mine.file) continue;
    const text = await readIfThere(file);
    const rival = text === undefined ? "dead" : lookAt(file, text, mine.holder.machine);
    if (rival !== "dead") rivals.push(rival);
    else if (text !== undefined) {
      await rm(file, { force: true });
      removed(readHolder(file, text));
    }
  }
  return rivals;
}

const readHolder = (file: string, text: string) => readJson<Holder>(text, { command: file, file: true }, HOLDER);

function lookAt(file: string, text: string, machine: string): Rival | "dead" {
  let holder: Holder;
  try {
    holder = readHolder(file, text);
  } catch (error) {
    return { file, unknown: textOf(error) };
  }
  if (holder.machine !== machine) return { file, holder, unknown: `only ${holder.host} knows whether that run is alive` };
  const seen = lookAtProcess(holder.pid);
  if (seen === "gone") return "dead";
  if ("unknown" in seen) return { file, holder, unknown: `it is unknown when process ${holder.pid} started: ${seen.unknown}` };
  if (holder.started === "") return { file, holder, unknown: "it is unknown when that run started" };
  return seen.started === holder.started ? { file, holder } : "dead";
}

function refusal({ file, holder, unknown }: Rival, { procedure, machine }: Holder): Failure {
  const who =
    holder &&
    `${holder.procedure} is running (process ${holder.pid}${holder.machine === machine ? "" : ` on ${holder.host}`}, since ${holder.at.slice(0, 16).replace("T", " ")} UTC)`;
  return new Failure({
    attempted: `start ${procedure}`,
    said: [who, unknown].filter(Boolean).join("\n"),
    now: "nothing was changed",
    next: unknown
      ? `make sure that no other run is active${holder ? ` on ${holder.host}` : ""}, remove ${file}, then: task ${procedure}`
      : `wait until it has ended, then: task ${procedure}`,
  });
}
