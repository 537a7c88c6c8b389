// versions.env, overridden by the environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, UsageError } from "../run/errors.ts";
import { nearest } from "../text/nearest.ts";

export interface Versions {
  TALOS_VERSION: string;
  KUBERNETES_VERSION: string;
  FLUX_VERSION: string;
  [name: string]: string;
}

const FILE = "versions.env";
const REQUIRED = { TALOS_VERSION: "v1.13.9", KUBERNETES_VERSION: "v1.36.5", FLUX_VERSION: "v2.9.4" };
type Name = keyof typeof REQUIRED;
const VERSION_NAMES = Object.keys(REQUIRED) as Name[];
/** "did you mean" for versions. All names end in _VERSION, so that the limit of edits is smaller than usual. */
export const nearestVersion = (name: string, limit = 3) => nearest(name, VERSION_NAMES, limit) as Name | undefined;
const VERSION = /^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/** Kubernetes minors that each Talos minor supports (Talos' own compatibility table). */
const KUBERNETES_OF: Record<number, readonly [lowest: number, highest: number]> = {
  11: [29, 34],
  12: [30, 35],
  13: [31, 36],
  14: [32, 37],
};
const KNOWN = Object.keys(KUBERNETES_OF).map(Number);
/** The first minor version that supports the documents of talos/machineconfig.yaml.njk; clusters of an older one can still be read. */
const OLDEST_DEPLOYED = 12;

export const isDeployable = ({ TALOS_VERSION }: Pick<Versions, "TALOS_VERSION">) => {
  const [major = 0, minor = 0] = majorMinor(TALOS_VERSION);
  return major > 1 || minor >= OLDEST_DEPLOYED;
};

/** The minor version of Talos to deploy, for example 13. Throws a Failure for an unsupported one. */
export function deployableMinor(versions: Pick<Versions, "TALOS_VERSION">): number {
  const { TALOS_VERSION } = versions;
  if (isDeployable(versions)) return majorMinor(TALOS_VERSION)[1]!;
  throw new Failure({
    attempted: `deploy Talos ${TALOS_VERSION}`,
    said: `it does not support the documents in talos/machineconfig.yaml.njk: v1.${OLDEST_DEPLOYED} or newer is needed (nodes of v1.${KNOWN[0]} can still be read)`,
    now: "nothing was changed",
    next: `set TALOS_VERSION in ${FILE}`,
  });
}

/** Reads `<root>/versions.env`; a non-empty variable of the environment wins. Throws one UsageError with all problems, by line. */
export function loadVersions(root: string, env: NodeJS.ProcessEnv, warn: (line: string) => void = () => {}): Versions {
  let text: string;
  try {
    text = readFileSync(join(root, FILE), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "ENOENT"
        ? `${FILE}: does not exist (start from the project's folder, or bring it back with \`git restore ${FILE}\`)`
        : `${FILE}: cannot be read: ${message}`,
    );
  }
  const { versions, wrong, odd } = readVersions(text, env);
  for (const line of odd) warn(line);
  if (wrong.length) throw new UsageError(wrong.join("\n"));
  return versions;
}

interface Note {
  /** 0 without a line. */
  line: number;
  text: string;
}

/** The same from a text. `wrong` and `odd` have a line for each finding, in the order of the file. */
export function readVersions(text: string, env: NodeJS.ProcessEnv): { versions: Versions; wrong: string[]; odd: string[] } {
  const { values, lines, notes } = readLines(text);
  const overridden: string[] = VERSION_NAMES.filter((name) => env[name] && env[name] !== values[name]);
  const odd: Note[] = [...replacedNotes(overridden, env, { values, lines }), ...misspeltInEnvironment(env)];
  for (const name of overridden) values[name] = env[name]!;
  /** A problem of a name: at its line, or in the environment. */
  const about = (name: string, what: string): Note =>
    overridden.includes(name)
      ? { line: 0, text: `environment: ${name}: ${what}` }
      : { line: lines[name] ?? 0, text: `${FILE}${lines[name] ? `:${lines[name]}` : ""}: ${name}: ${what}` };
  const unknown = Object.keys(values).filter((name) => !VERSION_NAMES.includes(name as Name));
  for (const name of unknown) notes.push(about(name, notKnown(name)));
  const misspelt: (string | undefined)[] = unknown.map((name) => nearestVersion(name));
  for (const [name, example] of Object.entries(REQUIRED)) {
    const value = values[name];
    if (value === undefined && misspelt.includes(name)) continue;
    if (value === undefined) notes.push(about(name, `is missing (a line ${name}=${example})`));
    else if (!VERSION.test(value))
      notes.push(about(name, `"${value}" is not a version (write ${VERSION.test(`v${value}`) ? `v${value}` : `it as ${example}`})`));
  }
  const guilty =
    overridden.includes("TALOS_VERSION") && !overridden.includes("KUBERNETES_VERSION") ? "TALOS_VERSION" : "KUBERNETES_VERSION";
  checkSupport(values, guilty, { wrong: (...words) => notes.push(about(...words)), odd: (...words) => odd.push(about(...words)) });
  return { versions: values as Versions, wrong: inOrder(notes), odd: inOrder(odd) };
}

const notKnown = (name: string) => {
  const close = nearestVersion(name);
  return `is unknown (${close ? `did you mean ${close}?` : `valid: ${VERSION_NAMES.join(", ")}`})`;
};

/** Each version that the environment changes. */
const replacedNotes = (
  names: string[],
  env: NodeJS.ProcessEnv,
  { values, lines }: Pick<ReturnType<typeof readLines>, "values" | "lines">,
): Note[] =>
  names.flatMap((name) =>
    values[name] === undefined
      ? []
      : [{ line: 0, text: `environment: ${name}: ${env[name]} is used instead of ${values[name]} (${FILE}:${lines[name]})` }],
  );

/** Variables of the environment within two edits of one of ours; others may belong to another program. */
const misspeltInEnvironment = (env: NodeJS.ProcessEnv): Note[] =>
  Object.keys(env).flatMap((name) => {
    const close = VERSION_NAMES.includes(name as Name) ? undefined : nearestVersion(name, 2);
    return close === undefined || env[name] === "" ? [] : [{ line: 0, text: `environment: ${name}: is ignored (did you mean ${close}?)` }];
  });

const inOrder = (notes: Note[]) => notes.sort((a, b) => a.line - b.line).map((note) => note.text);

/** `NAME=value`, `NAME="value"`, comments and empty lines; other lines are reported. */
function readLines(text: string): { values: Record<string, string>; lines: Record<string, number>; notes: Note[] } {
  const values: Record<string, string> = {};
  const lines: Record<string, number> = {};
  const notes: Note[] = [];
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const [line, content] = [index + 1, written.trim()];
    if (content === "" || content.startsWith("#")) continue;
    const [, name, double, single, bare] = /^([A-Za-z_]\w*)=(?:"([^"]*)"|'([^']*)'|([^\s"'#]*))(?:\s+#.*)?$/.exec(content) ?? [];
    if (name === undefined)
      notes.push({ line, text: `${FILE}:${line}: ${JSON.stringify(content)} is not NAME=value (no spaces around =)` });
    else if (lines[name] !== undefined)
      notes.push({ line, text: `${FILE}:${line}: ${name}: is already set in line ${lines[name]} (remove one)` });
    else {
      lines[name] = line;
      values[name] = double ?? single ?? bare ?? "";
    }
  }
  return { values, lines, notes };
}

type Say = (name: string, what: string) => void;

/** Reports a Kubernetes version that this Talos does not support; `guilty` is the name that caused the pair. For a Talos newer than the table it cannot tell. */
function checkSupport(
  { TALOS_VERSION = "", KUBERNETES_VERSION = "" }: Record<string, string>,
  guilty: Name,
  say: { wrong: Say; odd: Say },
): void {
  const [talosMajor, talosMinor] = majorMinor(TALOS_VERSION);
  const [major, minor] = majorMinor(KUBERNETES_VERSION);
  if (talosMajor === undefined || talosMinor === undefined || major === undefined || minor === undefined) return;
  const range = talosMajor === 1 ? KUBERNETES_OF[talosMinor] : undefined;
  if (!range && (talosMajor < 1 || (talosMajor === 1 && talosMinor < KNOWN[0]!)))
    return say.wrong("TALOS_VERSION", `Talos ${TALOS_VERSION} is older than this project supports (v1.${KNOWN[0]} or newer)`);
  if (!range)
    return say.odd(
      "TALOS_VERSION",
      `Talos ${TALOS_VERSION} is newer than this project knows: whether it supports Kubernetes ${KUBERNETES_VERSION} is not checked`,
    );
  if (talosMinor < OLDEST_DEPLOYED)
    say.odd("TALOS_VERSION", `Talos ${TALOS_VERSION} can be read but not deployed (v1.${OLDEST_DEPLOYED} or newer can)`);
  if (major === 1 && minor >= range[0] && minor <= range[1]) return undefined;
  say.wrong(
    guilty,
    `Talos ${TALOS_VERSION} does not support Kubernetes ${KUBERNETES_VERSION} (it supports v1.${range[0]} to v1.${range[1]})`,
  );
}

const majorMinor = (version: string): number[] => (VERSION.test(version) ? version.slice(1).split(".").slice(0, 2).map(Number) : []);
