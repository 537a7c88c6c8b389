// Finds the settings in kubernetes/flux/cluster/ks.yaml, where a patch contains them as text, to the byte, so that a value can change and every comment stays.
import type { YAMLParseError } from "yaml";
import { UsageError } from "../run/errors.ts";
import { isOurs, type Setting } from "./settings.ts";
import type { Disagreement } from "./disagreement.ts";

export const MAP_FILE = "kubernetes/flux/cluster/ks.yaml";
const FIELD = "postBuild.substitute";

/** A map inside a block scalar, and where its parts are in the file. */
interface Found {
  entries: { name: string; value: string; line: number; range: [start: number, end: number]; whole: [start: number, end: number] }[];
  indent: string;
  /** Where the first entry begins: the start of its line. */
  start: number;
}

/** Where the map and the home disagree: another value, one that is missing, one too many. Undefined when the file has no such map. */
export async function mapDisagreements(text: string, settings: readonly Setting[]): Promise<Disagreement[] | undefined> {
  const found = await findMap(text);
  if (!found) return undefined;
  const { entries, indent, start } = found;
  const { stringify } = await import("yaml");
  const at = (name: string) => entries.find((entry) => entry.name === name);
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const wanted = settings.flatMap(({ name, says, value }): Disagreement[] => {
    const entry = at(name);
    const field = `${FIELD}.${name}`;
    if (value === undefined || entry?.value === value) return [];
    const row = `${indent}${stringify({ [name]: value }, { lineWidth: 0 })}`;
    if (entry?.value === "")
      return [{ file: MAP_FILE, line: entry.line, field, has: "empty", wants: value, says, range: entry.whole, text: row }];
    if (entry) return [{ file: MAP_FILE, line: entry.line, field, has: entry.value, wants: value, says, range: entry.range }];
    const before = entries.filter((one) => one.name < name).at(-1);
    const place = before ? before.whole[1] : start;
    return [{ file: MAP_FILE, line: lineAt(place), field, has: "missing", wants: value, says, range: [place, place], text: row }];
  });
  const odd = entries
    .filter(({ name }) => isOurs(name, settings) && !settings.some((one) => one.name === name && one.value !== undefined))
    .map(({ name, value, line, whole }): Disagreement => ({
      file: MAP_FILE,
      line,
      field: `${FIELD}.${name}`,
      has: value,
      wants: "none",
      says: settings.find((one) => one.name === name)?.says ?? (name.startsWith("ITEM_") ? "onepassword.items" : "nas.exports"),
      range: whole,
      text: "",
    }));
  return [...wanted, ...odd];
}

/** The settings that a file holds; undefined when it holds none. */
export async function settingsIn(text: string): Promise<Record<string, string> | undefined> {
  const found = await findMap(text);
  return found && Object.fromEntries(found.entries.map(({ name, value }) => [name, value]));
}

async function findMap(text: string): Promise<Found | undefined> {
  const { isMap, isScalar, isSeq, parseAllDocuments, parseDocument } = await import("yaml");
  for (const document of parseAllDocuments(text)) {
    if (document.errors[0]) throw broken(document.errors[0]);
    const patches = document.getIn(["spec", "patches"]);
    if (!isSeq(patches)) continue;
    for (const item of patches.items) {
      const patch = isMap(item) ? item.get("patch", true) : undefined;
      if (!isScalar(patch) || typeof patch.value !== "string" || !patch.range || patch.type !== "BLOCK_LITERAL") continue;
      const inner = parseDocument(patch.value);
      if (inner.errors[0]) throw broken(inner.errors[0], text.slice(0, patch.range[0]).split("\n").length);
      const map = inner.getIn(["spec", "postBuild", "substitute"]);
      if (!isMap(map)) continue;
      const toFile = placesIn(text, patch.range[0], patch.value);
      const entries = map.items.flatMap(({ key, value }) => {
        if (!isScalar(key) || !isScalar(value) || !key.range || !value.range) return [];
        const range: [number, number] = [toFile(value.range[0]), toFile(value.range[1])];
        const name = toFile(key.range[0]);
        const begin = text.lastIndexOf("\n", name) + 1;
        const newline = text.indexOf("\n", value.value === null ? name : range[1]); // an empty value is where the parser looked for it: further on
        const line = text.slice(0, begin).split("\n").length;
        const whole: [number, number] = [begin, newline < 0 ? text.length : newline + 1];
        return [{ name: String(key.value), value: String(value.value ?? ""), line, range, whole }];
      });
      const [first] = entries;
      if (first) return { entries, start: first.whole[0], indent: /^ */.exec(text.slice(first.whole[0]))![0] };
    }
  }
  return undefined;
}

/** Nothing is written into a file that cannot be read. A patch's lines are counted from its own beginning. */
function broken({ message, linePos }: YAMLParseError, before = 0): UsageError {
  const line = before + (linePos?.[0].line ?? 1);
  return new UsageError(`${MAP_FILE}:${line}: is not valid YAML: ${message.split("\n")[0]!.replace(/ at line.*$/, "")}`);
}

/** From an offset in a block scalar's value to the offset in the file: each line is indented alike there. */
function placesIn(text: string, header: number, value: string): (offset: number) => number {
  const begin = text.indexOf("\n", header) + 1;
  const indent = /^ */.exec(text.slice(begin))![0].length;
  const lines = text.slice(begin).split("\n");
  return (offset) => {
    const before = value.slice(0, offset).split("\n");
    const skipped = lines.slice(0, before.length - 1).reduce((sum, line) => sum + line.length + 1, 0);
    return begin + skipped + indent + before.at(-1)!.length;
  };
}
