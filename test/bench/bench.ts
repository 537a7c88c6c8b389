// Measures the figures that the project promises: medians, compared within one run. They are printed and never asserted, because a slow machine is not a defect.
// `--all` adds the measurements that take minutes: homes with many nodes.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../../scripts/lib/run/ui.ts";
import { loadVersions } from "../../scripts/lib/cluster/versions.ts";
import { slowestHelp } from "./help.ts";
import { manyNodes } from "./many-nodes.ts";
import { lintLargeTrees, lintOurTree, schemaStage } from "./lint.ts";
import { renderThree } from "./render.ts";
import { bootstrapTwice } from "./second-bootstrap.ts";

const ROOT = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), "bench-"));
const empty = join(scratch, "empty.ts");
writeFileSync(empty, "export {};\n");

/** Milliseconds that a command takes. Throws if it fails. */
function time(words: string[], env: NodeJS.ProcessEnv = {}): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(words[0]!, words.slice(1), {
    cwd: ROOT,
    env: { ...process.env, NODE_EXTRA_CA_CERTS: "", ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}:\n${stderr.slice(-2000)}`);
  return performance.now() - began;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const shown = (values: number[], unit: "ms" | "s" = "ms") => {
  const scale = unit === "s" ? 1000 : 1;
  const digits = unit === "s" ? 1 : 0;
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((value) => (value / scale).toFixed(digits));
  return { median: `${middle} ${unit}`, range: `${low} to ${high}` };
};
const times = (count: number, measure: () => number) => Array.from({ length: count }, measure);

/** Measures A and B alternately, so that a slow phase of the machine affects both. */
function inTurn(count: number, a: () => number, b: () => number): [number[], number[]] {
  const [first, second]: [number[], number[]] = [[], []];
  for (let i = 0; i < count; i += 1) {
    first.push(a());
    second.push(b());
  }
  return [first, second];
}

const tsx = (file: string, ...words: string[]) => [process.execPath, "--import", "tsx", file, ...words];
const rows: string[][] = [];
/** Adds a row to the table, and prints it at once in case the run is stopped. */
const addRow = (row: string[]) => {
  rows.push(row);
  process.stderr.write(`${row.filter(Boolean).join("  ")}\n`);
};
const add = (what: string, promise: string, values: number[], unit: "ms" | "s" = "ms") => {
  const { median: middle, range } = shown(values, unit);
  addRow([what, middle, range, promise]);
};

const [bare, help] = inTurn(
  9,
  () => time(tsx(empty)),
  () => time(tsx("scripts/talos/apply.ts", "--help")),
);
add("an empty script", "", bare);
add("--help of a procedure", "", help);
const { slowest, over } = slowestHelp(
  () => time(tsx(empty)),
  (script) => time(tsx(script, "--help")),
);
addRow([`  slowest over the empty script: ${slowest}`, `${Math.round(over)} ms`, "", "under 60 ms"]);
add("rendering three machine configs, in-process", "under 150 ms", await renderThree(9));
const { seconds, commands, op } = await bootstrapTwice(ROOT, 3);
add("a second bootstrap on a ready cluster", "under 4 s", seconds, "s");
addRow(["  commands, of them 1Password", `${commands}, ${op}`, "", "one op for all secrets"]);
const [start, day] = inTurn(
  3,
  () => median(times(5, () => time(tsx(empty)))),
  () => time(tsx("scripts/lab/rehearse.ts")),
);
add("the rehearsal", "under 20 s", day, "s");
addRow(["  in starts of the empty script", median(day.map((value, i) => value / start[i]!)).toFixed(0), "", "at most 70"]);
add(
  "unit tests",
  "",
  times(1, () => time(["npm", "run", "--silent", "test:unit"])),
  "s",
);
for (const nodes of process.argv.includes("--all") ? [10, 25, 50] : []) {
  const { seconds: day, bootstrap, home, product } = await manyNodes(ROOT, nodes);
  addRow([
    `bootstrap of ${nodes} nodes`,
    `${bootstrap.toFixed(1)} s`,
    `the whole day ${day.toFixed(1)} s`,
    nodes === 50 ? "under 60 s" : "",
  ]);
  addRow(["  memory of the home, of the product", `${home} MiB, ${product} MiB`, "", "no faster than the nodes"]);
}
add("lint:kubernetes", "under 3 s", lintOurTree(ROOT, scratch, 5), "s");
const stage = schemaStage(ROOT, scratch, loadVersions(ROOT, {}).KUBERNETES_VERSION, 5);
add(`its schema stage, ${stage.objects} objects`, "under 4 × kubeconform", stage.ours);
if (stage.kubeconform) add("kubeconform -strict on the same", "", stage.kubeconform);
else addRow(["kubeconform -strict on the same", "-", "", "npm run tools:build makes it"]);
const [half, whole] = lintLargeTrees(ROOT, scratch, [500, 1000]);
add("lint:kubernetes, 1,000 applications", "under 15 s", [whole!], "s");
addRow(["  times that of 500", (whole! / half!).toFixed(1), "", "about 2: linear"]);
rmSync(scratch, { recursive: true, force: true });

console.log(table(["figure", "median", "range", "promised"], rows));
