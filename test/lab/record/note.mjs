// Preloaded into what a lab test starts: a procedure that ends leaves one line in the shared record, $LAB_RUNS. Plain JavaScript, since every start pays for it.
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const [, procedure] = /\/scripts\/(?!lib\/)([\w-]+(?:\/[\w-]+)?)\.ts$/.exec(process.argv[1] ?? "") ?? [];
if (procedure && process.env.LAB_RUNS && isMainThread) {
  const name = procedure.replace("/", ":");
  process.once("exit", (code) => {
    const words = process.argv.slice(2);
    const dryRun = words.includes("--dry-run") || /^(?:1|true|yes)$/.test(process.env.ARG_DRY_RUN ?? "");
    appendFileSync(process.env.LAB_RUNS, `${JSON.stringify({ procedure: name, words, dryRun, reported: hasReport(name), code })}\n`);
  });
}

/** Whether this run wrote a report, as every run does that got past its own words and is no dry run. */
function hasReport(name) {
  try {
    const end = `-${name.replaceAll(":", "-")}-${process.pid}.ndjson`;
    return readdirSync(join(process.env.HOME_OPS_STATE || ".home-ops", "runs")).some((file) => file.endsWith(end));
  } catch {
    return false;
  }
}
