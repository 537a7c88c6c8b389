// Finds and ends the processes of a home: the product and every tool that it started. Each has LAB_HOME in its environment, which it cannot lose.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** The ids of processes, other than this one, whose words or environment contain the text. */
export function processesWith(text: string): number[] {
  const all = process.platform === "linux" ? fromProc() : fromPs();
  return all.filter(({ pid, shown }) => pid !== process.pid && shown.includes(text)).map(({ pid }) => pid);
}

interface Listed {
  pid: number;
  /** Words and environment, each ended by NUL or a blank. */
  shown: string;
}

function fromProc(): Listed[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => ({ pid: Number(pid), shown: `${readProc(pid, "cmdline")}\0${readProc(pid, "environ")}\0` }));
}

/** Empty for a process that ended since it was listed, and for another user's. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function fromPs(): Listed[] {
  const { stdout } = spawnSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 2 ** 26 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, shown] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), shown: `${shown!.replaceAll(" ", "\0")}\0` }];
  });
}

const LONGEST_MS = 120_000;

/** Kills every process of the home, and again until none is left: one that was listed may have started another. */
export async function endProcesses(folder: string): Promise<void> {
  const mark = `\0LAB_HOME=${folder}\0`;
  const began = performance.now();
  for (let left = processesWith(mark); left.length > 0; left = processesWith(mark)) {
    if (performance.now() - began > LONGEST_MS) throw new Error(`processes of the home ${folder} do not end: ${left.join(", ")}`);
    for (const pid of left) kill(pid);
    await pause(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
