// Opens the record that all lab test files share, and checks at the end, when every file has run, that every procedure was seen to end in every way.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { missingOutcomes, type Run } from "./outcomes.ts";
import { wantedOutcomes } from "./wanted.ts";

/** The caller's own LAB_RUNS is kept, so that parts that are run one after the other count together. */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = process.env.LAB_RUNS === undefined ? mkdtempSync(join(tmpdir(), "lab-runs-")) : undefined;
  const record = (process.env.LAB_RUNS ??= join(folder!, "runs.ndjson"));
  return async () => {
    const lines = read(record);
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    const files = new Set(lines.map(({ file }) => file).filter(Boolean));
    const all = readdirSync("test/lab", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
    if (project.config.testNamePattern !== undefined || !all.every((file) => files.has(join("test/lab", file)))) return; // a part proves nothing
    const missing = missingOutcomes(await wantedOutcomes(), lines.filter(({ procedure }) => procedure) as Run[]);
    if (missing.length === 0) return;
    process.exitCode = 1; // Vitest prints what a teardown throws, and would end with 0
    throw new Error(`no lab test has seen these outcomes:\n  ${missing.join("\n  ")}`);
  };
}

function read(file: string): (Partial<Run> & { file?: string })[] {
  try {
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Partial<Run> & { file?: string });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
