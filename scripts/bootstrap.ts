// From nodes that boot the ISO to a cluster that Flux keeps: nine stages, each looking first, so that the same command resumes after any interruption.
import { apps } from "./bootstrap/apps.ts";
import { configs } from "./bootstrap/configs.ts";
import { crds } from "./bootstrap/crds.ts";
import { etcd } from "./bootstrap/etcd.ts";
import { flux } from "./bootstrap/flux.ts";
import { kubeconfig } from "./bootstrap/kubeconfig.ts";
import { nodes } from "./bootstrap/nodes.ts";
import { checks, refuseBad, showChecks } from "./bootstrap/preflight.ts";
import { resources } from "./bootstrap/resources.ts";
import type { Context } from "./lib/context.ts";
import { isCommandError, textOf } from "./lib/errors.ts";
import { runChecks } from "./lib/preflight/verdict.ts";
import { main, procedure } from "./lib/procedure.ts";
import { tally } from "./lib/shell.ts";
import { carryOut, type Seen, type Stage } from "./lib/stage.ts";
import { table } from "./lib/ui.ts";

const STAGES: Stage[] = [configs, etcd, kubeconfig, nodes, resources, crds, apps, flux];

interface Row {
  stage: string;
  was: Seen["state"];
  saw: string;
  seconds: number;
}

export const bootstrap = procedure({
  name: "bootstrap",
  about: "turn booted nodes into a cluster that Flux keeps; resumes from what it observes",
  destroys: "what is on the system disk of a node that booted the ISO; a release's install that died halfway",
  options: {},
  async run(_values, context) {
    const { ui } = context;
    const [results, ms] = await timed(() => runChecks(checks(context), context));
    ui.say(showChecks(results));
    refuseBad(results);
    const seen = await Promise.all(STAGES.map((stage) => look(stage, context)));
    const todo = STAGES.flatMap((stage, index) => lines(stage, seen[index]!));
    context.signal.throwIfAborted();
    if (todo.length === 0) ui.say("nothing to do");
    else await ui.confirm({ title: `bootstrap ${context.cluster.name}`, lines: todo });
    const rows: Row[] = [
      {
        stage: "preflight",
        was: "done",
        saw: `${results.filter(({ state }) => state === "ok").length} of ${results.length} checks are good`,
        seconds: ms / 1000,
      },
    ];
    let acted = false;
    for (const [index, stage] of STAGES.entries()) {
      const [row] = await timed(() => walk(stage, seen[index]!, acted, context));
      acted ||= row.was !== "done";
      rows.push(row);
    }
    ui.result({ stages: rows, ...tally }, summary(rows));
  },
});

/** What cannot be looked at now, as a registry that is away, is unknown until its turn; a contradiction blocks. */
const look = (stage: Stage, context: Context): Promise<Seen> =>
  stage.observe(context).catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (!isCommandError(error)) throw error;
    return { state: "unknown", saw: textOf(error).split("\n")[0]! };
  });

/** One stage: what was seen at the start still holds unless a stage before it has acted since. */
async function walk(stage: Stage, first: Seen, acted: boolean, context: Context): Promise<Row> {
  context.signal.throwIfAborted();
  const begun = performance.now();
  const before = acted || first.state === "unknown" ? await stage.observe(context) : first;
  const already = before.state === "done";
  const after = already ? before : await carryOut(stage, context);
  const seconds = (performance.now() - begun) / 1000;
  if (!already) context.ui.say(`${stage.name}: ${after.saw} (${seconds.toFixed(1)} s)`);
  context.report.write({ event: "step", name: stage.name, saw: after.saw, ms: Math.round(seconds * 1000) });
  return { stage: stage.name.replace("bootstrap:", ""), was: before.state, saw: after.saw, seconds };
}

/** What the plan says about a stage; nothing about one that is done. */
export function lines(stage: Pick<Stage, "name" | "about">, { state, saw, todo = [stage.about] }: Seen): string[] {
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
