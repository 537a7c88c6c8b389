// One changing run at a time, by scope. A lock is a small file below $XDG_STATE_HOME, outside the checkout, so that two checkouts of one home share it.
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, homedir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { Failure } from "./errors.ts";
import { startOf } from "./process-start.ts";

/** `home` conflicts with every other lock, `{ app }` with the same app and with `home`. */
export type LockScope = "home" | { app: string };

export interface Holder {
  procedure: string;
  pid: number;
  /** When the process started, as the system counts it: a pid alone is used again. */
  started: string;
  host: string;
  at: string;
}

export interface Lock {
  release(): void;
  /** The dead holder whose lock was taken over. */
  tookOver?: Holder;
}

/** The folder of a cluster's locks. */
export const lockFolder = (env: NodeJS.ProcessEnv, cluster: string) =>
  join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state"), "home-ops", cluster.replaceAll(/[^A-Za-z0-9_.-]/g, "_"));

/** Takes the lock or throws at once, naming the run that holds it. */
export function takeLock(folder: string, scope: LockScope, procedure: string, now = new Date()): Lock {
  const me: Holder = { procedure, pid: process.pid, started: startOf(process.pid) ?? "", host: hostname(), at: now.toISOString() };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return claim(folder, fileOf(scope), me);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure({
      attempted: `lock the home for ${procedure}`,
      said: (error as Error).message,
      now: "nothing was changed",
      next: `make ${folder} writable, or set XDG_STATE_HOME to a folder that is`,
    });
  }
}

function claim(folder: string, name: string, me: Holder): Lock {
  const file = join(folder, name);
  const tookOver = create(file, me);
  const release = () => {
    if (isSame(read(file), me)) rmSync(file, { force: true });
  };
  // own file first, then a look at the others: of two runs with overlapping scopes at least one sees the other
  for (const other of readdirSync(folder).filter((each) => each !== name && each.endsWith(".lock") && overlap(each, name))) {
    const holder = read(join(folder, other));
    if (holder && isAlive(holder)) {
      release();
      throw held(holder, me.procedure);
    }
  }
  return { release, ...(tookOver && { tookOver }) };
}

/** Creates the file whole and only if nobody else has it. Returns the dead holder whose file it replaced. */
function create(file: string, me: Holder): Holder | undefined {
  const draft = `${file}.${me.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, JSON.stringify(me), { mode: 0o600, flag: "wx" });
  try {
    let dead: Holder | undefined;
    for (;;) {
      try {
        linkSync(draft, file);
        return dead;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = read(file);
      if (holder && isAlive(holder)) throw held(holder, me.procedure);
      if (existsSync(file)) removeDead(file, `${draft}.dead`, holder);
      dead = holder;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead holder's file away. Where another run was faster and the file is already its own, it is put back. */
function removeDead(file: string, aside: string, dead: Holder | undefined): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = read(aside);
  if (moved && !(dead && isSame(moved, dead))) linkSync(aside, file);
  rmSync(aside, { force: true });
}

/** `media/radarr` and `radarr` may be the same app, so the last word names the lock. */
const fileOf = (scope: LockScope) => (scope === "home" ? "home.lock" : `app-${scope.app.replace(/^.*\//, "")}.lock`);
const overlap = (one: string, other: string) => one === "home.lock" || other === "home.lock";

/** The holder that a lock file names; undefined for one that is gone or torn, which only a killed run leaves. */
function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const isSame = (one: Holder | undefined, other: Holder) =>
  one !== undefined && one.pid === other.pid && one.started === other.started && one.host === other.host;

/** A holder on another machine (a state folder on a network share) cannot be looked at and counts as alive. */
const isAlive = ({ pid, started, host }: Holder) => host !== hostname() || startOf(pid) === started;

const held = ({ procedure, pid, host, at }: Holder, mine: string) =>
  new Failure({
    attempted: `start ${mine}`,
    said: `${procedure} is running (process ${pid}${host === hostname() ? "" : ` on ${host}`}, since ${at.slice(0, 16).replace("T", " ")} UTC)`,
    now: "nothing was changed",
    next: `wait until it has ended, then: task ${mine}`,
  });
