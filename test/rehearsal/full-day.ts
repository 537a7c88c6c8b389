// Runs the whole day once, stops at the first step that fails, and returns the table and the closing lines.
import { Failure } from "../../scripts/lib/run/errors.ts";
import type { Ui } from "../../scripts/lib/run/ui.ts";
import { DAY, finalState, runStep, type Ran } from "./day.ts";
import { startHome } from "./home-process.ts";
import { violationsOf } from "./violations.ts";

export interface DayResult {
  stages: { stage: string; saw: string; seconds: number }[];
  closing: string[];
  seconds: number;
}

export async function fullDay(
  project: string,
  { ui, keep, truenas = "25.10", real = false, signal }: { ui: Ui; keep: boolean; truenas?: string; real?: boolean; signal: AbortSignal },
): Promise<DayResult> {
  const began = performance.now();
  ui.say("A simulated home on this machine: nothing of it reaches your network.");
  const home = await startHome({ project, keep, truenas, real, signal });
  try {
    const runs: Ran[] = [];
    for (const step of DAY) {
      ui.progress(`task ${step.name}`);
      const ran = await runStep(home.folder, step, { broken: home.broken, onLine: (line) => ui.debug(`  ${line}`) });
      runs.push(ran);
      if (ran.code !== 0)
        throw new Failure({
          attempted: `get through task ${step.name} (exit ${ran.code})`,
          said: ran.stderr.trim().split("\n").slice(-25).join("\n"),
          now: keep ? `the home is kept in ${home.folder}` : "the home was removed; --keep keeps it",
        });
    }
    const end = await finalState(home.folder);
    const wrong = await violationsOf(home.folder, runs);
    if (wrong.length > 0)
      throw new Failure({ failed: "the day ended well, but broke rules that every run must keep", said: wrong.join("\n") });
    const seconds = (performance.now() - began) / 1000;
    return {
      stages: runs.flatMap(rowsOf),
      closing: [
        `${end.nodes} nodes Ready, Flux: ${end.flux} ready, ${end.commands} commands, ${end.op} of them 1Password`,
        "At home: edit talos/cluster.yaml and versions.env, run task configure and task",
        "secrets:init, put what it lists into 1Password, commit and push. Then: task",
        "talos:talosconfig, talos:prepare-iso, vm:deploy, bootstrap.",
      ],
      seconds,
    };
  } finally {
    await home.close();
  }
}

/** A row for each stage of bootstrap and for every other procedure, whose last line is what it observed. */
function rowsOf({ name, stdout, stderr, seconds }: Ran): DayResult["stages"] {
  if (name !== "bootstrap") return [{ stage: name, saw: lastLine(stderr) || lastLine(stdout), seconds }];
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; saw: string; seconds: number }[] };
  return stages.map(({ stage, saw, seconds }) => ({ stage: `bootstrap:${stage}`, saw, seconds }));
}

const lastLine = (text: string) => text.trim().split("\n").at(-1)?.trim() ?? "";
