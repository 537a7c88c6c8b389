// The whole day once: runs each step, stops at the first that fails, and says what a person would want to know at the end.
import { Failure } from "../../scripts/lib/run/errors.ts";
import type { Ui } from "../../scripts/lib/run/ui.ts";
import { DAY, ending, live, lodge, misdeeds, type Ran } from "./day.ts";

export interface Told {
  stages: { stage: string; saw: string; seconds: number }[];
  closing: string[];
  seconds: number;
}

export async function fullDay(
  project: string,
  { ui, keep, truenas = "25.10", real = false, signal }: { ui: Ui; keep: boolean; truenas?: string; real?: boolean; signal: AbortSignal },
): Promise<Told> {
  const began = performance.now();
  ui.say("A simulated home on this machine: nothing of it reaches your network.");
  const home = await lodge({ project, keep, truenas, real, signal });
  try {
    const runs: Ran[] = [];
    for (const step of DAY) {
      ui.progress(`task ${step.name}`);
      const ran = await live(home.folder, step, { broken: home.broken, onLine: (line) => ui.debug(`  ${line}`) });
      runs.push(ran);
      if (ran.code !== 0)
        throw new Failure({
          attempted: `get through task ${step.name} (exit ${ran.code})`,
          said: ran.stderr.trim().split("\n").slice(-25).join("\n"),
          now: keep ? `the home is kept in ${home.folder}` : "the home was removed; --keep keeps it",
        });
    }
    const end = await ending(home.folder);
    const wrong = await misdeeds(home.folder, runs);
    if (wrong.length > 0) throw new Failure({ attempted: "find nothing amiss after the day", said: wrong.join("\n") });
    const seconds = (performance.now() - began) / 1000;
    return {
      stages: runs.flatMap(stagesOf),
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

/** Bootstrap tells its stages; every other procedure is one, and its last line is what it saw. */
function stagesOf({ name, stdout, stderr, seconds }: Ran): Told["stages"] {
  if (name !== "bootstrap") return [{ stage: name, saw: lastLine(stderr) || lastLine(stdout), seconds }];
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; saw: string; seconds: number }[] };
  return stages.map(({ stage, saw, seconds }) => ({ stage: `bootstrap:${stage}`, saw, seconds }));
}

const lastLine = (text: string) => text.trim().split("\n").at(-1)?.trim() ?? "";
