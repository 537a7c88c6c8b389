// Every command line of the product: what its unit tests saw it say, and which templates of its source those lines come from.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLines } from "../simulators/evidence/evidence.ts";

/** The tools that stand against a stand-in. `op` has no stand-in but itself: an account cannot be had on a laptop. */
const TOOLS = ["talosctl", "kubectl", "helm", "helmfile", "flux", "sops", "govc"];

export const toolOf = (line: string) => TOOLS.find((tool) => new RegExp(`^(cat \\| )?${tool}( |$)`).test(line));

/** Runs the unit tests and returns each different line that a procedure gave to one of the tools, with the paths of a test in a home's place. */
export function linesOfTheUnitTests(project: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "corpus-"));
  const file = join(folder, "lines");
  try {
    const ran = spawnSync("npx", ["vitest", "run", "--project", "unit*", "--reporter=dot"], {
      cwd: project,
      env: { ...process.env, HOME_OPS_CORPUS: file, VITEST: undefined },
      encoding: "utf8",
    });
    if (ran.error) throw ran.error;
    const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
    return [...new Set(lines.map((line) => atHome(JSON.parse(line) as string)))].filter((line) => toolOf(line) !== undefined).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same of what a procedure said in a home: the guard wrote it down as it was given to the shell. */
export function linesOfAHome(folder: string): string[] {
  const shell = readLines(join(folder, "spawned.ndjson")).filter(({ args }) => args?.includes("-c"));
  const lines = shell.map(({ args }) =>
    String(args.at(-1))
      .replace(/^.*?set -euo pipefail;/s, "")
      .trim(),
  );
  return [...new Set(lines.map((line) => atAnyTime(atHome(line))))].filter((line) => toolOf(line) !== undefined).sort();
}

/** Two homes differ in the keys of their machines and in the time at which something was asked. */
const atAnyTime = (line: string) =>
  line.replaceAll(/--cert-fingerprint \S+/g, "--cert-fingerprint <fingerprint>").replaceAll(/requestedAt=\S+/g, "requestedAt=<time>");

/** What a test calls its kubeconfig and talosconfig, as a shell in a home calls them. */
const atHome = (line: string) =>
  line.replaceAll(/\S*\/talosconfig\b/g, '"$TALOSCONFIG"').replaceAll(/\S*\/kubeconfig\b(?!\.)/g, '"$KUBECONFIG"');

export interface Template {
  file: string;
  text: string;
  /** Fits the lines that this template makes. */
  pattern: RegExp;
}

/** Every command that stands in the product's source, as `ask` or `$` has it. */
export function templatesOf(project: string): Template[] {
  const files = readdirSync(join(project, "scripts"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files
    .map((file) => `scripts/${file}`)
    .flatMap((file) => {
      const source = readFileSync(join(project, file), "utf8").replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
      return [...source.matchAll(/(?:\bask|\$)(?:\([^`]*?\))?`((?:[^`\\]|\\.)*)`/g)]
        .map(([, text = ""]) => ({ file, text, pattern: patternOf(text) }))
        .filter(({ text }) => toolOf(text) !== undefined);
    });
}

const patternOf = (text: string) =>
  new RegExp(
    `^${text
      .split(/\$\{(?:"[^"]*"|'[^']*'|[^}])*\}/)
      .map((piece) => piece.replaceAll(/[.*+?^$()[\]{}|\\]/g, "\\$&"))
      .join(".*")}$`,
  );
