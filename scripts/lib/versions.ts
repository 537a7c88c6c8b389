// versions.env, overridden by the environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./errors.ts";

export interface Versions {
  TALOS_VERSION: string;
  KUBERNETES_VERSION: string;
  FLUX_VERSION: string;
  [name: string]: string;
}

const FILE = "versions.env";
const REQUIRED = { TALOS_VERSION: "v1.13.9", KUBERNETES_VERSION: "v1.36.5", FLUX_VERSION: "v2.9.4" };
const VERSION = /^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/** Kubernetes minors that each Talos minor supports (Talos' own compatibility table). */
const KUBERNETES_OF: Record<number, readonly [lowest: number, highest: number]> = {
  11: [29, 34],
  12: [30, 35],
  13: [31, 36],
  14: [32, 37],
};
const KNOWN = Object.keys(KUBERNETES_OF).map(Number);

/** Reads `<root>/versions.env`; a name that the environment sets (to more than nothing) wins. Throws one UsageError with everything that is wrong, by line. */
export function loadVersions(root: string, env: NodeJS.ProcessEnv, warn: (line: string) => void = () => {}): Versions {
  let text: string;
  try {
    text = readFileSync(join(root, FILE), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "ENOENT"
        ? `${FILE}: is not there (start from the project's folder, or bring it back with \`git restore ${FILE}\`)`
        : `${FILE}: cannot be read: ${message}`,
    );
  }
  const { versions, wrong, odd } = readVersions(text, env);
  for (const line of odd) warn(line);
  if (wrong.length) throw new UsageError(wrong.join("\n"));
  return versions;
}

interface Note {
  /** 0 for what stands on no line. */
  line: number;
  text: string;
}

/** The same from a text. `wrong` and `odd` have a line for each finding, in the order of the file. */
export function readVersions(text: string, env: NodeJS.ProcessEnv): { versions: Versions; wrong: string[]; odd: string[] } {
  const { values, lines, notes } = readLines(text);
  const overridden = [...new Set([...Object.keys(values), ...Object.keys(REQUIRED)])].filter(
    (name) => env[name] && env[name] !== values[name],
  );
  for (const name of overridden) values[name] = env[name]!;
  /** A finding about a name: at its line, or about the environment. */
  const about = (name: string, what: string): Note =>
    overridden.includes(name)
      ? { line: 0, text: `environment: ${name}: ${what}` }
      : { line: lines[name] ?? 0, text: `${FILE}${lines[name] ? `:${lines[name]}` : ""}: ${name}: ${what}` };
  for (const [name, example] of Object.entries(REQUIRED)) {
    const value = values[name];
    if (value === undefined) notes.push(about(name, `is missing (a line ${name}=${example})`));
    else if (!VERSION.test(value))
      notes.push(about(name, `"${value}" is no version (write ${VERSION.test(`v${value}`) ? `v${value}` : `it as ${example}`})`));
  }
  const odd: Note[] = [];
  judgeSupport(values, { wrong: (...words) => notes.push(about(...words)), odd: (...words) => odd.push(about(...words)) });
  return { versions: values as Versions, wrong: inOrder(notes), odd: inOrder(odd) };
}

const inOrder = (notes: Note[]) => notes.sort((a, b) => a.line - b.line).map((note) => note.text);

/** `NAME=value`, `NAME="value"`, comments, empty lines; what else stands there is noted. */
function readLines(text: string): { values: Record<string, string>; lines: Record<string, number>; notes: Note[] } {
  const values: Record<string, string> = {};
  const lines: Record<string, number> = {};
  const notes: Note[] = [];
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const [line, content] = [index + 1, written.trim()];
    if (content === "" || content.startsWith("#")) continue;
    const [, name, double, single, bare] = /^([A-Za-z_]\w*)=(?:"([^"]*)"|'([^']*)'|([^\s"'#]*))(?:\s+#.*)?$/.exec(content) ?? [];
    if (name === undefined) notes.push({ line, text: `${FILE}:${line}: ${JSON.stringify(content)} is no NAME=value (no spaces around =)` });
    else if (lines[name] !== undefined)
      notes.push({ line, text: `${FILE}:${line}: ${name}: stands in line ${lines[name]} already (remove one)` });
    else {
      lines[name] = line;
      values[name] = double ?? single ?? bare ?? "";
    }
  }
  return { values, lines, notes };
}

type Say = (name: string, what: string) => void;

/** A Kubernetes that this Talos does not support is wrong; a Talos newer than the table can only be taken at its word. */
function judgeSupport({ TALOS_VERSION = "", KUBERNETES_VERSION = "" }: Record<string, string>, say: { wrong: Say; odd: Say }): void {
  const [talosMajor, talosMinor] = majorMinor(TALOS_VERSION);
  const [major, minor] = majorMinor(KUBERNETES_VERSION);
  if (talosMajor === undefined || talosMinor === undefined || major === undefined || minor === undefined) return;
  const range = talosMajor === 1 ? KUBERNETES_OF[talosMinor] : undefined;
  if (!range && (talosMajor < 1 || (talosMajor === 1 && talosMinor < KNOWN[0]!)))
    return say.wrong("TALOS_VERSION", `Talos ${TALOS_VERSION} is older than this project works with (v1.${KNOWN[0]} or newer)`);
  if (!range)
    return say.odd(
      "TALOS_VERSION",
      `Talos ${TALOS_VERSION} is newer than what is known here: whether it supports Kubernetes ${KUBERNETES_VERSION} is not checked`,
    );
  if (major === 1 && minor >= range[0] && minor <= range[1]) return undefined;
  say.wrong(
    "KUBERNETES_VERSION",
    `Talos ${TALOS_VERSION} does not support Kubernetes ${KUBERNETES_VERSION} (it supports v1.${range[0]} to v1.${range[1]})`,
  );
}

const majorMinor = (version: string): number[] => (VERSION.test(version) ? version.slice(1).split(".").slice(0, 2).map(Number) : []);
