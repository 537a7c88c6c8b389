// Starts a simulated home as a process of its own.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { whereTools } from "../tools/find.ts";

/** A running home; `close` ends it and removes its folder. */
export interface RunningHome {
  folder: string;
  /** Rejects with the home's error output if the home ends by itself. */
  broken: Promise<never>;
  close(): Promise<void>;
}

/** A limit for a start that hangs. On an idle machine a home starts in a second. */
const START_SECONDS = 120;

/** Starts a home in `folder`, or in a new folder that the home makes itself. The home ends when this process ends, and removes its folder. */
export async function startHome({
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
  /** Start from a copy of this home's folder. */
  copyOf?: string;
  project: string;
  truenas?: string;
  faults?: string[];
  keep?: boolean;
  /** With the real command-line tools, and an API server behind them. */
  real?: boolean;
  /** Ends the home, and every run in it. */
  signal?: AbortSignal;
}): Promise<RunningHome> {
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
  const home = spawn(process.execPath, words, { cwd: project, stdio: ["pipe", "pipe", "pipe"], env: reducedEnvironment(real) });
  home.stdin.on("error", () => {}); // the home ended first: see `ended`
  const end = () => void home.stdin.end();
  signal?.addEventListener("abort", end, { once: true });
  let errors = "";
  home.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  const ended = new Promise<void>((resolve) => void home.once("close", () => resolve()));
  await isUp(home.stdout, ended).catch((error: Error) => {
    home.kill("SIGKILL");
    throw new Error(`the simulated home did not start: ${errors || error.message}`);
  });
  let closing = false;
  const broken = ended.then(() =>
    closing ? new Promise<never>(() => {}) : Promise.reject(new Error(errors || "the simulated home has ended")),
  );
  broken.catch(() => {}); // a caller that waits for a run handles it
  return {
    folder,
    broken,
    async close() {
      closing = true;
      signal?.removeEventListener("abort", end);
      end();
      await ended;
      if (!keep) rmSync(folder, { recursive: true, force: true }); // a home that was killed leaves it
    },
  };
}

/** A new name. The home makes the folder, because it also removes it: a folder made here would stay if this process is killed before the home starts. */
const newFolder = () => join(tmpdir(), `rehearsal-${randomBytes(6).toString("hex")}`);

/** Resolves when the home is up; rejects if it ends first, or hangs. */
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

/** The caller's environment reduced to the paths of Node, of the real tools if they are needed, and of temporary files. */
const reducedEnvironment = (real: boolean) => ({
  PATH: process.env.PATH,
  TMPDIR: process.env.TMPDIR ?? tmpdir(),
  HOME: process.env.HOME,
  ...(real && whereTools(process.env)),
});
