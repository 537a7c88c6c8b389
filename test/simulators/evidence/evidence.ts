// Evidence of a run: refused connections, requests to hosts that are not simulated, and secrets in the wrong places.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { layoutOf } from "../environment.ts";
import { finderOf, searched } from "./forms.ts";
import { whenPresent } from "../present.ts";

/** The lines of a file of JSON lines; none when it is not there. */
export const readLines = (file: string): any[] =>
  (whenPresent(() => readFileSync(file, "utf8")) ?? "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The command lines of the real tools, in order. */
export function readCalls(folder: string): { tool: string; argv: string[] }[] {
  const { calls } = layoutOf(folder);
  const records = (whenPresent(() => readFileSync(calls, "utf8")) ?? "").split("\u001e").filter(Boolean);
  return records.map((record) => {
    const [tool = "", ...argv] = record.split("\u001f").slice(0, -1);
    return { tool, argv };
  });
}

/** Every command line of the product so far, of stand-ins and of real tools. */
export const commandsOf = (folder: string): { tool: string; argv: string[] }[] => [
  ...readLines(join(folder, "commands.ndjson")),
  ...readCalls(folder),
];

/** Both must be empty after every run. */
export const evidenceOf = (folder: string) => ({
  refused: readLines(join(folder, "refused.ndjson")),
  unexpected: readLines(join(folder, "unexpected.ndjson")),
});

export interface Secret {
  where: string;
  value: string;
}

/** Where secrets stand that must not: words and environments of every process, and every file of the home but the vault's store and the two that hold credentials, which must be 0600. */
export function findTaint(folder: string, secrets: Secret[]): { where: string; secret: string }[] {
  const found: { where: string; secret: string }[] = [];
  const finders = secrets.map(({ where, value }) => ({ secret: where, isIn: finderOf(value) }));
  const search = (where: string, text: string) => {
    const both = searched(text);
    for (const { secret, isIn } of finders) if (isIn(both)) found.push({ where, secret });
  };
  for (const { tool, argv } of commandsOf(folder)) search(`the words of ${tool} ${argv[0] ?? ""}`, argv.join("\n"));
  for (const { file, args, env } of readLines(join(folder, "spawned.ndjson")))
    search(`the words or environment of ${file}`, [...args, ...env].join("\n"));
  const { kubeconfig, talosconfig } = layoutOf(folder);
  for (const file of filesBelow(folder)) {
    if (file === kubeconfig || file === talosconfig) {
      if (((whenPresent(() => statSync(file).mode) ?? 0) & 0o077) !== 0)
        found.push({ where: `${relative(folder, file)}, which others can read`, secret: "its credentials" });
    } else if (!OWN.test(relative(folder, file))) search(relative(folder, file), whenPresent(() => readFileSync(file, "latin1")) ?? "");
  }
  return found;
}

/** Files of the home itself: the vault's store, the records searched above, the servers' keys, etcd's data. */
const OWN = /^(world\.json|home\.json|[a-z]+\.ndjson|real-calls|pki\/|bin\/|kubernetes\/)/;

function filesBelow(folder: string): string[] {
  const entries = whenPresent(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}
