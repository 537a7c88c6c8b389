// When a process started. The system reuses pids; pid and start time together identify one process.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { lives } from "./files.ts";

/** `started` is in the system's own format and can only be compared with another `started` of the same machine. */
export type Presence = { started: string } | "gone" | { unknown: string };

/** Whether a process with this pid exists, and when it started. */
export function lookAtProcess(pid: number): Presence {
  if (!lives(pid)) return "gone";
  return existsSync("/proc/self/stat") ? startFromProc(pid) : startFromPs(pid);
}

function startFromProc(pid: number): Presence {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name, in brackets, may hold spaces
    return fields[0] === "Z" ? "gone" : { started: fields[19]! }; // a zombie has ended; field 22 of proc(5) is the start in clock ticks since boot
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return ["ENOENT", "ESRCH"].includes(code ?? "") ? "gone" : { unknown: message };
  }
}

/** For macOS. Its `ps` prints the time in the user's language and time zone unless it is told otherwise. */
export function startFromPs(pid: number): Presence {
  try {
    const words = ["-o", "stat=", "-o", "lstart=", "-p", String(pid)];
    const printed = execFileSync("ps", words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C", TZ: "UTC" }, stdio: "pipe" });
    const [state = "", ...start] = printed.trim().split(/\s+/);
    if (start.length === 0) return { unknown: `ps printed ${JSON.stringify(printed)}` };
    return state.startsWith("Z") ? "gone" : { started: start.join(" ") };
  } catch (error) {
    const { status, message } = error as Error & { status?: number | null };
    return status === 1 ? "gone" : { unknown: message.split("\n")[0]! }; // 1: no process has this pid
  }
}
