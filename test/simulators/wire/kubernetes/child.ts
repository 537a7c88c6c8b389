// A process that ends with the home, even if the home is killed: a shell next to it waits for the end of a pipe that only the home holds open.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface Child {
  pid: number;
  /** Settles when it has ended, with its exit code. */
  ended: Promise<number>;
  running(): boolean;
  /** The last lines that it wrote. */
  said(): string;
  /** Ends it and waits for that. */
  stop(): Promise<void>;
  /** Pauses it until the returned function is called. */
  hold(): () => void;
}

// the child's standard input is not the pipe, else it would keep it open; `wait` ends when the child does
const GUARD = `exec 3<&0
"$@" 3<&- </dev/null &
child=$!
trap 'kill -STOP $child' USR1
trap 'kill -CONT $child' USR2
{ cat <&3 >/dev/null; kill -KILL $child; } 2>/dev/null &
guard=$!
wait $child; code=$?
# a signal that is trapped ends the waiting too
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
kill $guard 2>/dev/null
exit $code`;

/** Starts a program whose standard error goes to a log file; `lines` gets each line of its standard output. */
export function startChild(
  file: string,
  args: string[],
  { cwd, log, lines }: { cwd: string; log: string; lines?: (line: string) => void },
): Child {
  const errors = openSync(log, "w", 0o600);
  const child = spawn("/bin/sh", ["-c", GUARD, "guard", file, ...args], {
    cwd,
    // memory for speed: a third less time of the processor for definitions
    env: { PATH: "/usr/bin:/bin", HOME: cwd, GOGC: "400" },
    stdio: ["pipe", lines ? "pipe" : errors, errors],
  });
  closeSync(errors);
  child.stdin!.on("error", () => {}); // the shell ended first: its exit code says so
  let code: number | undefined;
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (exit) => resolve((code = exit ?? -1)));
    child.once("error", () => resolve((code = -1)));
  });
  let rest = "";
  if (lines)
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const line of parts) lines(line);
    });
  return {
    pid: child.pid ?? -1,
    ended,
    running: () => code === undefined,
    said: () => readFileSync(log, "utf8").trim().split("\n").slice(-5).join("\n"),
    hold() {
      child.kill("SIGUSR1");
      return () => void child.kill("SIGUSR2");
    },
    async stop() {
      child.stdin!.end();
      await ended;
    },
  };
}
