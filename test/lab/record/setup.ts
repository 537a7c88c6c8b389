// Runs before each lab test file: names the file in the shared record, and has everything that it starts leave its runs there.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { expect } from "vitest";

const record = process.env.LAB_RUNS;
if (record !== undefined) {
  process.env.NODE_OPTIONS = `--import ${new URL("note.mjs", import.meta.url).href}`;
  appendFileSync(record, `${JSON.stringify({ file: relative(process.cwd(), expect.getState().testPath!) })}\n`);
}
