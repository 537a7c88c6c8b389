// Every check of the files that needs no cluster and no test run, so that nobody has to know their names before a commit.
import { join } from "node:path";
import { Failure } from "./lib/run/errors.ts";
import { main, procedure } from "./lib/run/procedure.ts";
import { ask } from "./lib/run/shell.ts";
import { ROOT } from "./packages.mjs";

export interface Check {
  name: string;
  words: string[];
  /** A tool that mise installs and a laptop may not have; without it the check is skipped. */
  tool?: string;
}

const packaged = (tool: string) => join("node_modules/.bin", tool);
const script = (file: string) => [process.execPath, "--import", "./scripts/start.mjs", `scripts/lint/${file}.ts`];

export const CHECKS: readonly Check[] = [
  { name: "format", words: [packaged("oxfmt"), "--check", "."] },
  { name: "lint", words: [packaged("oxlint"), "--type-aware"] },
  { name: "types", words: [packaged("tsc")] },
  { name: "yamllint", words: ["yamllint", "--strict", "."], tool: "yamllint" },
  { name: "lint:kubernetes", words: script("kubernetes") },
  { name: "lint:secrets", words: script("secrets") },
  { name: "kubeconform", words: [".ci/kubeconform"], tool: "kubeconform" },
];

type Verdict = { name: string; state: "ok" | "failed" | "skipped"; seconds: number; output: string };

export const lintAll = procedure({
  name: "lint",
  about: "run every check of the files: format, lint, types, manifests, secrets",
  scope: "none",
  readOnly: true,
  cluster: false,
  options: {},
  async run(_values, { ui }) {
    const verdicts: Verdict[] = [];
    for (const check of CHECKS) {
      ui.progress(`${check.name} …`);
      const verdict = await run(check);
      if (verdict.state === "failed") ui.say(verdict.output);
      ui.say(lineOf(verdict, check));
      verdicts.push(verdict);
    }
    const failed = verdicts.filter(({ state }) => state === "failed").map(({ name }) => name);
    ui.result(verdicts, `${verdicts.filter(({ state }) => state === "ok").length} of ${verdicts.length} checks passed`);
    if (failed.length > 0)
      throw new Failure({
        failed: `${failed.length} of ${verdicts.length} checks failed: ${failed.join(", ")}`,
        said: "the output of each check is above",
        next: "fix that, then: task lint",
      });
  },
});

const lineOf = ({ name, state, seconds }: Verdict, { tool }: Check) =>
  state === "skipped" ? `skipped: ${name} (${tool} is not installed: mise install)` : `${state}: ${name} (${seconds.toFixed(1)} s)`;

/** Runs one check in the checkout that this script belongs to. */
async function run({ name, words, tool }: Check): Promise<Verdict> {
  if (tool !== undefined && (await ask`${tool} --version`.nothrow()).exitCode === 127)
    return { name, state: "skipped", seconds: 0, output: "" };
  const started = performance.now();
  const { exitCode, stdout, stderr } = await ask({ timeout: "10m", cwd: ROOT })`${words}`.nothrow();
  const seconds = (performance.now() - started) / 1000;
  const output = [stdout, stderr]
    .map((text) => text.trim())
    .filter(Boolean)
    .join("\n");
  return { name, state: exitCode === 0 ? "ok" : "failed", seconds, output };
}

await main(import.meta, lintAll);
