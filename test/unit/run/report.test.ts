// The report of a run: one line of JSON per event, without secrets in any form.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { forgetSecrets, hide } from "../../../scripts/lib/run/redact.ts";
import { openReport } from "../../../scripts/lib/run/report.ts";

const folder = mkdtempSync(join(tmpdir(), "report-"));
afterEach(() => {
  forgetSecrets();
  rmSync(folder, { recursive: true, force: true });
});

test("a secret with quotes, backslashes and line ends is hidden before the event is escaped", () => {
  const secret = 'first"half\\second\nlast line';
  hide([secret]);
  const report = openReport(folder, "talos:apply");
  report.write({ event: "start", procedure: "talos:apply", words: [secret], dryRun: false });
  report.write({
    event: "end",
    ok: false,
    code: 1,
    message: `it said ${JSON.stringify(secret)}, ${secret}, \u001b[31m${Buffer.from(secret).toString("base64")}`,
    ms: 1,
  });
  const text = readFileSync(report.file!, "utf8");
  expect(text).not.toMatch(/first|second|last line|\\u001b/);
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { message?: string; words?: string[] }),
  ).toMatchObject([{ words: ["********"] }, { message: 'it said "********", ********, ********' }]);
});
