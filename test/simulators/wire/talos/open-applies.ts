// Which machine without a config a real talosctl is about to send one: in a home each run of it writes its words down before it connects.
import { readFileSync } from "node:fs";
import { whenPresent } from "../../present.ts";

const RECORD = "\u001e";
const WORD = "\u001f";

/** Says of a connection to this address whether it is the first one of such a run. `file` is what the executables write. */
export function createOpenApplies(file: string): (address: string) => boolean {
  let read = 0;
  const expected: string[] = [];
  return (address) => {
    const records = (whenPresent(() => readFileSync(file, "utf8")) ?? "").split(RECORD).slice(0, -1);
    for (const record of records.slice(read)) expected.push(...openlyApplied(record.split(WORD)));
    read = records.length;
    const at = expected.indexOf(address);
    if (at >= 0) expected.splice(at, 1);
    return at >= 0;
  };
}

/** The addresses that `talosctl apply-config --insecure` names. */
export function openlyApplied([tool, ...words]: string[]): string[] {
  if (tool !== "talosctl" || !words.includes("apply-config") || !words.some((word) => word === "--insecure" || word === "-i")) return [];
  return words
    .flatMap((word, at) =>
      word === "--nodes" || word === "-n" ? [words[at + 1] ?? ""] : word.startsWith("--nodes=") ? [word.slice(8)] : [],
    )
    .flatMap((list) => list.split(","));
}
