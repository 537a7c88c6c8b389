// What a run left behind: connections that were refused, hosts that nobody simulates, and every place where a secret stands that must not.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { layoutOf } from "./environment.ts";
import { whenPresent } from "./present.ts";

/** The lines of a file of JSON lines; none when it is not there. */
export const readLines = (file: string): any[] =>
  (whenPresent(() => readFileSync(file, "utf8")) ?? "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** What the real tools were called with, in order. */
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

/** What a kubeconfig says besides its certificates and key: names, and the server that cluster.yaml names too. */
const PLAIN = /^(- )?[\w-]+: .{0,80}$/;

/** The forms in which a secret may show: as it is, line by line, in base64, decoded from it, and by its tell-tale part. */
export function formsOf(value: string): string[] {
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? Buffer.from(value, "base64").toString() : "";
  const readable = /^[\x20-\x7e\n\r\t]+$/.test(decoded) ? decoded : "";
  const lines = [value, readable].flatMap((text) => text.split("\n")).map((line) => line.trim());
  const telling = [value, readable].flatMap((text) => text.match(/taint-[a-z0-9-]+/g) ?? []);
  return [
    ...new Set([
      value,
      ...lines.filter((line) => !line.startsWith("-----") && line.length >= 16 && !(value.includes("kind: Config") && PLAIN.test(line))),
      ...telling,
      Buffer.from(value).toString("base64"),
    ]),
  ].filter((form) => form.length >= 8);
}

/** Where secrets stand that must not: words and environments of every process, and every file of the home but the vault's store and the two that hold credentials, which must be 0600. */
export function findTaint(folder: string, secrets: Secret[]): { where: string; secret: string }[] {
  const found: { where: string; secret: string }[] = [];
  const forms = secrets.map(({ where, value }) => ({ secret: where, forms: formsOf(value) }));
  const search = (where: string, text: string) => {
    for (const { secret, forms: all } of forms) if (all.some((form) => text.includes(form))) found.push({ where, secret });
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

/** What the home itself keeps: the vault's store, the records searched above, keys of the wires, what etcd holds. */
const OWN = /^(world\.json|home\.json|[a-z]+\.ndjson|real-calls|pki\/|bin\/|kubernetes\/)/;

function filesBelow(folder: string): string[] {
  const entries = whenPresent(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}
