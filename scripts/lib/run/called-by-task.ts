// `task` ignores variables that it does not know, so `DRYRUN=1` would change things. This reads the command line of the `task` that started this process.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { UsageError } from "./errors.ts";
import { nearest } from "../text/nearest.ts";
import type { Options } from "./options.ts";
import { nearestVersion } from "../cluster/versions.ts";
import { variablesOf } from "./command-line.ts";
import type { Procedure } from "./spec.ts";

/** Refuses a NAME= on the command line of the calling `task` that this procedure does not accept. */
export function refuseMisspelt<O extends Options>(spec: Procedure<O>, words = wordsOfTask()): void {
  const valid = variablesOf(spec.options);
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words; // the script reads the words after it
  for (const word of own) {
    const [, name, value = ""] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined && !valid.includes(name)) throw new UsageError(refusal(spec.name, { name, value }, valid));
  }
}

/** Task ignores versions, which are not variables of a target, so a version other than the typed one would be used. */
function refusal(target: string, { name, value }: { name: string; value: string }, valid: string[]): string {
  const version = nearestVersion(name);
  if (version !== undefined)
    return `task ${target} does not take ${name}=: change ${version} in versions.env, or set it for one run: ${version}=${value} task ${target}`;
  const close = nearest(name, valid);
  return `task ${target} does not take ${name}=${close ? `; did you mean ${close}=?` : ""}\n  it takes: ${valid.join(" ")}`;
}

/** The arguments of the nearest ancestor process that is `task`. None when this process was started by hand, or by another procedure, which has read them itself. */
export function wordsOfTask(commands: Iterable<string[]> = ancestors()): string[] {
  for (const words of commands) {
    if (/(^|\/)(go-)?task$/.test(words[0] ?? "")) return words.slice(1);
    if (words.some(isProcedure)) return [];
  }
  return [];
}

const isProcedure = (word: string) => /(^|\/)scripts\/(?!lib\/)([\w-]+\/)?[\w-]+\.ts$/.test(word);

/** The command lines of this process's ancestors, nearest first. */
function* ancestors(): Generator<string[]> {
  for (let pid = process.ppid, depth = 0; pid > 1 && depth < 8; depth += 1) {
    const seen = fromProc(pid) ?? fromPs(pid);
    if (seen === undefined) return; // neither /proc nor ps: the caller is unknown
    yield seen.words;
    pid = seen.parent;
  }
}

interface Ancestor {
  words: string[];
  parent: number;
}

function fromProc(pid: number): Ancestor | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
    return { words, parent: Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? 0) };
  } catch {
    return undefined;
  }
}

/** Where there is no /proc (macOS). Words with spaces cannot be told apart there; names of variables can. */
function fromPs(pid: number): Ancestor | undefined {
  try {
    const said = execFileSync("ps", ["-o", "ppid=,command=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [, parent, command] = /^\s*(\d+)\s+(.*)$/s.exec(said.trim()) ?? [];
    return { words: (command ?? "").split(/\s+/), parent: Number(parent ?? 0) };
  } catch {
    return undefined;
  }
}
