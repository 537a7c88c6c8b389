// Turns nodes that booted the ISO into a cluster that Flux manages, in nine stages. Each stage first reads the current state, so the same command resumes after any interruption.
import { checks, PREFLIGHT_GATES, refuseBad, refuseUnknownGit, showChecks } from "./bootstrap/preflight.ts";
import type { Context } from "./lib/run/context.ts";
import { commandErrorOf, textOf } from "./lib/run/errors.ts";
import type { Check } from "./lib/bootstrap/preflight/verdict.ts";
import { nicGate } from "./lib/talos/node.ts";
import { main, procedure } from "./lib/run/procedure.ts";
import { mergeDestroys, type Plan, type Step } from "./lib/run/plan.ts";
import { carryOut, type StageState, type Stage, stepsOf } from "./lib/bootstrap/stage.ts";
import { toAct } from "./lib/run/to-act.ts";

const { apps } = await toAct(() => import("./bootstrap/apps.ts"));
const { configs } = await toAct(() => import("./bootstrap/configs.ts"));
const { crds } = await toAct(() => import("./bootstrap/crds.ts"));
const { etcd } = await toAct(() => import("./bootstrap/etcd.ts"));
const { flux } = await toAct(() => import("./bootstrap/flux.ts"));
const { kubeconfig } = await toAct(() => import("./bootstrap/kubeconfig.ts"));
const { nodes } = await toAct(() => import("./bootstrap/nodes.ts"));
const { resources } = await toAct(() => import("./bootstrap/resources.ts"));
const { sub } = await toAct(() => import("./lib/run/sub.ts"));
const { eachOf } = await toAct(() => import("./lib/run/at-once.ts"));
const { runChecks } = await toAct(() => import("./lib/bootstrap/preflight/verdict.ts"));
const { tally } = await toAct(() => import("./lib/run/shell.ts"));
const { table } = await toAct(() => import("./lib/run/ui.ts"));

const BOOTSTRAP_GATES = [...PREFLIGHT_GATES, nicGate];
const STAGES: Stage[] = [configs, etcd, kubeconfig, nodes, resources, crds, apps, flux];

interface Row {
  stage: string;
  was: StageState["state"];
  saw: string;
  seconds: number;
}

export const bootstrap = procedure({
  name: "bootstrap",
  about: "turn booted nodes into a cluster that Flux manages; resumes after an interruption",
  destroys:
    "what is on the disks of a node that booted the ISO; what an interrupted install, upgrade or uninstall of a release left; a value of a bootstrap Secret that is not the vault's",
  options: {},
  gates: BOOTSTRAP_GATES,
  async run(_values, context) {
    const { ui } = context;
    const shown: { table?: string } = {};
    const { seen, steps, preflight } = await context.confirm(() =>
      planBootstrap(context, { checks: checks(context), stages: STAGES, shown }),
    );
    if (steps.length === 0) ui.say("nothing to do");
    const rows: Row[] = [preflight];
    let acted = false;
    for (const [index, stage] of STAGES.entries()) {
      const [row] = await timed(() => walk(stage, seen[index]!, { acted, steps }, context));
      acted ||= row.was !== "done";
      rows.push(row);
    }
    ui.result({ stages: rows, ...tally }, summary(rows));
  },
});

/** The state of a stage. If a command fails, the state is unknown until the stage's turn; every other error stops the run. */
const look = (stage: Stage, context: Context): Promise<StageState> =>
  stage.observe(context).catch((error: unknown) => {
    context.signal.throwIfAborted();
    const failed = commandErrorOf(error);
    if (failed === undefined) throw error;
    return { state: "unknown", saw: textOf(failed).split("\n")[0]! };
  });

interface BootstrapPlan extends Plan {
  preflight: Row;
  /** One for each stage. */
  seen: StageState[];
}

/** Runs the checks, then looks at all stages. The runner calls it again after the question, so a check that went bad meanwhile stops the run. The results are shown again only if they differ from those in `shown`. */
export async function planBootstrap(
  context: Context,
  { checks: all, stages, shown }: { checks: Check[]; stages: readonly Stage[]; shown: { table?: string } },
): Promise<BootstrapPlan> {
  const [results, ms] = await timed(() => runChecks(all, context));
  const checked = showChecks(results);
  if (checked !== shown.table) context.ui.say(checked);
  shown.table = checked;
  refuseBad(results);
  const seen = await eachOf(stages, (stage) => look(stage, context));
  context.signal.throwIfAborted();
  if (stages.some((stage, index) => stage.name === flux.name && seen[index]!.state !== "done"))
    refuseUnknownGit(results, context.waive, "task bootstrap");
  const destroys = mergeDestroys(seen.filter(({ state }) => state !== "done"));
  return {
    ...(destroys && { destroys }),
    title: `bootstrap ${context.cluster.name}`,
    lines: stages.flatMap((stage, index) => lines(stage, seen[index]!)),
    steps: stages.flatMap((stage, index) => stepsOf(stage, seen[index]!)),
    preflight: {
      stage: "preflight",
      was: "done",
      saw: `${results.filter(({ state }) => state === "ok").length} of ${results.length} checks are good`,
      seconds: ms / 1000,
    },
    seen,
  };
}

/** Runs one stage. If an earlier stage has changed something, it plans again, and does nothing destructive that the confirmed plan did not name. */
async function walk(
  stage: Stage,
  first: StageState,
  { acted, steps }: { acted: boolean; steps: readonly Step[] },
  context: Context,
): Promise<Row> {
  context.signal.throwIfAborted();
  const begun = performance.now();
  const own = sub(context, stage, steps);
  const before = acted || first.state === "unknown" ? await stage.observe(own) : first;
  const already = before.state === "done";
  const after = already ? before : await carryOut(stage, own, before, steps);
  const seconds = (performance.now() - begun) / 1000;
  if (!already) context.ui.say(`${stage.name}: ${after.saw} (${seconds.toFixed(1)} s)`);
  context.report.write({ event: "step", name: stage.name, saw: after.saw, ms: Math.round(seconds * 1000) });
  return { stage: stage.name.replace("bootstrap:", ""), was: before.state, saw: after.saw, seconds };
}

/** The lines of the plan for a stage; none if it is done. */
export function lines(stage: Pick<Stage, "name" | "about">, { state, saw, todo = [stage.about] }: StageState): string[] {
  if (state === "done") return [];
  return [`${stage.name.replace("bootstrap:", "")} (${saw.split("\n", 1)[0]})`, ...todo.map((line) => `  ${line}`)];
}

export function summary(rows: Row[]): string {
  const shown = rows.map(({ stage, was, saw, seconds }) => [
    stage,
    was === "done" && stage !== "preflight" ? `already true: ${saw}` : saw,
    `${seconds.toFixed(1)} s`,
  ]);
  return [table(["stage", "observed", "time"], shown), `${tally.commands} commands, ${tally.op} of them 1Password`].join("\n");
}

async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const begun = performance.now();
  return [await act(), performance.now() - begun];
}

await main(import.meta, bootstrap);
