// When a process started: with its pid, the one thing that names a process for good.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** The start time in the system's own words, comparable with itself only; undefined when there is no such process. */
export function startOf(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) return fromProc(pid);
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined; // ps exits 1 when no process has this pid
  }
}

function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name, in brackets, may hold spaces
    return fields[0] === "Z" ? undefined : fields[19]; // a zombie has ended; field 22 of proc(5) is the start in clock ticks since boot
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
