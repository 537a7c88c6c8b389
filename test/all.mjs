// What `npm test` does: format, lint, types, then unit and lab tests with coverage; every step runs, the last line counts what passed and failed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

await import("../scripts/packages.mjs"); // exits when packages are missing
const scratch = mkdtempSync(join(tmpdir(), "home-ops-test-"));
const results = join(scratch, "results.json");
/** @type {[name: string, tool: string, words: string[]][]} */
const STEPS = [
  ["format", "oxfmt", ["--check", "."]],
  ["lint", "oxlint", ["--type-aware"]],
  ["types", "tsc", []],
  [
    "unit and lab tests",
    "vitest",
    ["run", "--project", "unit*", "--project", "lab", "--coverage", "--reporter=dot", "--reporter=json", `--outputFile.json=${results}`],
  ],
];

const verdicts = [];
let passed = 0;
let failed = 0;
let skipped = 0;
for (const [name, tool, words] of STEPS) {
  const started = performance.now();
  const { status } = spawnSync(join("node_modules", ".bin", tool), words, { stdio: "inherit" });
  verdicts.push(`${status === 0 ? "ok" : "FAILED"}: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (tool !== "vitest") {
    if (status === 0) passed += 1;
    else failed += 1;
    continue;
  }
  const counted = read(results);
  passed += counted.numPassedTests;
  failed += counted.numFailedTests;
  skipped += counted.numPendingTests;
  if (status !== 0 && counted.numFailedTests === 0) failed += 1; // coverage below its threshold, or a file that did not load
}
rmSync(scratch, { recursive: true, force: true });
console.log(verdicts.join("\n"));
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
  }
}
