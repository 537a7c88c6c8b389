// Applies machine configs, after showing what would change: to nodes that booted the ISO all at once, to running ones one after the other.
import type { Node } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import { choice, nodeNames } from "../lib/run/options.ts";
import type { Plan, Step } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Change } from "../lib/talos/changes.ts";
import type { Machine } from "../lib/talos/identity.ts";
import type { Install } from "../lib/talos/install.ts";
import { at, atOpenly, inShort, isReady, nicGate, saidBy, type Stage, stageOf } from "../lib/talos/node.ts";
import { expectsVote, expectVote, quorumGate } from "../lib/talos/quorum.ts";
import type { Would } from "../lib/talos/would.ts";
import { toAct } from "../lib/run/to-act.ts";

const { eachOf, forEachNode, rolling } = await toAct(() => import("../lib/run/at-once.ts"));
const { bootOf, expectReboot } = await toAct(() => import("../lib/talos/boot.ts"));
const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { changesBetween, foundations, lineOf, needReboot } = await toAct(() => import("../lib/talos/changes.ts"));
const { configDocuments, expectConfig, expectReady, heldDocuments } = await toAct(() => import("../lib/talos/held.ts"));
const { confirmationOf, installLines, installSteps } = await toAct(() => import("../lib/talos/install.ts"));
const { knownAt, lookAtMachine } = await toAct(() => import("../lib/talos/look.ts"));
const { renderNode } = await toAct(() => import("../lib/talos/render.ts"));
const { expectOurTalosconfig, expectTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { notKnownToIt } = await toAct(() => import("../lib/talos/version.ts"));
const { askNode } = await toAct(() => import("../lib/talos/would.ts"));

export const MODES = ["auto", "no-reboot", "reboot", "staged", "try"] as const;
export type Mode = (typeof MODES)[number];

/** What is known of a node and its config before anything is done. */
export interface Prospect {
  node: Node;
  stage: Stage;
  /** The config to send. Holds secrets. */
  config: string;
  /** Undefined for a node that has no config yet, or that cannot be asked. */
  changes?: Change[];
  /** What the node itself says it would do; undefined where there is nothing to do, or nobody to ask. */
  would?: Would;
  /** The machine to install on, when the node has no config yet. */
  machine?: Machine;
  known?: Install["known"];
  unasked?: Install["unasked"];
}

/** A node that booted the ISO, with the machine that answers for it. */
export type Fresh = Prospect & { machine: Machine };
export const isFresh = (one: Prospect): one is Fresh => one.machine !== undefined;

export const apply = procedure({
  name: "talos:apply",
  about: "apply a node's machine config, after showing what would change",
  destroys: "what is on the disks of a node that booted the ISO",
  gates: [quorumGate, nicGate],
  options: { node: nodeNames(), mode: choice("how", MODES, "auto") },
  async run({ node, mode }, context) {
    const nodes = findNodes(context.cluster, node); // an unknown name is reported before anything is read
    await expectTalosconfig(context);
    const { prospects, unchanged, steps } = await context.confirm(async () => planApply(await prospectsOf(context, nodes, mode), mode));
    if (steps.length === 0) return unchanged.forEach(context.ui.say);
    const todo = prospects.filter(isDue);
    const work = { attempted: "apply machine configs", next: "task talos:apply" };
    await forEachNode(
      context,
      todo.filter(({ changes }) => !changes), // in maintenance mode: none of them runs anything yet
      { ...work, nameOf: (one) => one.node.name },
      (one) => applyNode(context, one, mode),
    );
    await rolling(
      context,
      todo.filter(({ changes }) => changes),
      { ...work, takesDown: (one) => goesDown(one, mode) },
      async (one) => {
        const down = goesDown(one, mode);
        const votes = down && (await expectsVote(context, one.node));
        const boot = down ? await bootOf(context, one.node) : undefined;
        if (down && boot === undefined && isReady(one.stage)) throw unknownBoot(one.node);
        await applyNode(context, one, mode);
        if (boot !== undefined) await expectReboot(context, one.node, boot); // it may hold the config already, and go down only now
        if (isReady(one.stage)) await expectReady(context, one.node);
        if (votes) await expectVote(context, one.node); // also a node that was not ready before: the next node's gate counts it
      },
    );
  },
});

/** Without its boot id nobody can tell a healthy node that has rebooted from one that is about to, and the next node would go down beside it. */
const unknownBoot = ({ name }: Node) =>
  new Failure({
    attempted: `read the boot id of ${name}, which shows that it has rebooted`,
    now: "nothing was sent to it",
    next: "task talos:status, then: task talos:apply",
  });

interface ApplyPlan extends Plan {
  prospects: Prospect[];
  /** A line for each node that has its config already. */
  unchanged: string[];
}

/** What is going to happen to each node; throws when one of them cannot be given a config. */
export function planApply(prospects: Prospect[], mode: Mode): ApplyPlan {
  const reasons = prospects.flatMap(hindrance);
  if (reasons.length > 0)
    throw new Failure({
      attempted: "apply machine configs",
      said: reasons.join("\n"),
      now: "nothing was changed",
      next: hint(prospects),
    });
  const todo = prospects.filter(isDue);
  const destroys = confirmationOf(todo.filter(isFresh));
  const unchanged = prospects.filter((one) => !isDue(one)).map(({ node }) => `${node.name} already has this config`);
  return {
    title: `talos:apply ${todo.map(({ node: { name } }) => name).join(", ")}`,
    lines: [...unchanged, ...todo.flatMap((one) => card(one, mode))],
    unchanged,
    steps: todo.flatMap((one) => stepsOf(one, mode)),
    takesDown: todo.filter((one) => goesDown(one, mode)).map(({ node }) => node),
    ...(destroys && { destroys }),
    prospects,
  };
}

function stepsOf(prospect: Prospect, mode: Mode): Step[] {
  if (isFresh(prospect)) return installSteps(prospect);
  const { changes = [], node } = prospect;
  const target = node.name;
  const steps = changes.map((change) => ({ action: `${lineOf(change)} on`, target }));
  return reboots(prospect, mode) ? [...steps, { action: "reboot", target }] : steps;
}

/** A node with a config that this reboots. One that is not ready, or still boots, counts too: its etcd may vote while something else of it is broken. */
const goesDown = (prospect: Prospect, mode: Mode) => prospect.changes !== undefined && isDue(prospect) && reboots(prospect, mode);

function hint(prospects: Prospect[]): string {
  const refused = prospects.flatMap(({ would }) => (would && "refuse" in would ? [would] : []));
  if (refused.some(({ older }) => older !== undefined))
    return "upgrade Talos first (docs/cluster.md, Upgrades of Talos and Kubernetes), then: task talos:apply";
  if (refused.some(({ refuse }) => /immediate mode/.test(refuse)))
    return "task talos:apply MODE=auto reboots for it, MODE=staged leaves it for the next reboot";
  return "task talos:status";
}

/** Looks at each node, and at what the cluster knows of the addresses at which a machine waits for its config. */
export async function prospectsOf(context: Context, nodes: readonly Node[], mode: Mode = "auto"): Promise<Prospect[]> {
  const prospects = await eachOf(nodes, (one) => prospectOf(context, one, mode));
  const fresh = prospects.filter(isFresh).map(({ node }) => node);
  const known = await knownAt(context, fresh);
  return prospects.map((one) => (isFresh(one) ? { ...one, ...known(one.node) } : one));
}

/** Asks the node for its stage and its config, and renders what it should have. */
async function prospectOf(context: Context, node: Node, mode: Mode = "auto"): Promise<Prospect> {
  await expectOurTalosconfig(context);
  const [stage, config] = await Promise.all([stageOf(context, node), renderNode(context, node)]);
  if (stage.stage === "maintenance") return { node, stage, config, ...(await lookAtMachine(context, node, config)) };
  if (stage.stage !== "running" && stage.stage !== "booting") return { node, stage, config };
  const [held, wanted] = await Promise.all([heldDocuments(context, node, idFor(mode)), configDocuments(config)]);
  let changes = changesBetween(held, wanted);
  if (changes.length === 0 && mode !== "staged" && mode !== "try") {
    // what runs may be on trial (MODE=try): it is kept only once it is on the disk too
    changes = changesBetween(await heldDocuments(context, node, "persistent"), wanted);
  }
  return { node, stage, config, changes, ...(changes.length > 0 && { would: await askNode(context, node, config, mode) }) };
}

/** What is compared and proven: a staged config is only on the disk. */
const idFor = (mode: Mode) => (mode === "staged" ? "persistent" : "v1alpha1");

export const isDue = ({ changes }: Pick<Prospect, "changes">) => changes === undefined || changes.length > 0;

/** Why this node cannot be given a config; nothing when it can. */
export function hindrance({ node, stage, would }: Pick<Prospect, "node" | "stage" | "would">): string[] {
  const who = `${node.name} (${node.address})`;
  if (stage.stage === "unreachable") return [`${who} does not answer: ${stage.said}`];
  if (stage.stage === "foreign") return [`${who} is not ours to configure: ${stage.said}`];
  if (!would || !("refuse" in would)) return [];
  if (would.older !== undefined) return [`${who} runs Talos ${would.older}, which is too old for this config: ${would.refuse}`];
  return [`${who} refuses this config: ${would.refuse}`];
}

/** The plan for one node: what happens to it, then what goes away, changes and comes. */
export function card(prospect: Prospect, mode: Mode): string[] {
  if (isFresh(prospect)) return installLines(prospect);
  const { node, stage, changes = [], would } = prospect;
  const who = `${node.name} (${node.address}), ${stage.stage}`;
  return [
    `${who}: ${changes.length} ${changes.length === 1 ? "change" : "changes"}, ${outcome(changes, would, mode)}`,
    ...foundations(changes).map(
      (path) => `  careful: a running cluster was built with ${path}; it does not take over another one by itself`,
    ),
    ...changes.map((change) => `  ${lineOf(change)}`),
  ];
}

function outcome(changes: Change[], would: Would | undefined, mode: Mode): string {
  if (mode === "staged") return "taken into use at its next reboot";
  const [first, ...more] = new Set(needReboot(changes).map(({ path }) => path));
  if (!reboots({ changes, would }, mode)) return mode === "try" ? "no reboot, taken back after a minute" : "no reboot";
  const why = first === undefined || mode === "reboot" ? "" : ` for ${first}${more.length > 0 ? ` and ${more.length} more` : ""}`;
  return `reboots${why}, and is not drained before (MODE=staged leaves that to you)`;
}

/** Whether the node goes down for this: as it says itself, or by the rules of Talos 1.13 where it was not asked. */
function reboots({ changes = [], would }: Pick<Prospect, "changes" | "would">, mode: Mode): boolean {
  if (would && "reboots" in would) return would.reboots;
  return mode === "reboot" || (mode === "auto" && needReboot(changes).length > 0);
}

/** The node was given a config already, or nobody knows whether it was: what it holds in the end decides. */
const DOUBTFUL =
  /already in progress|already applied and node is rebooting|code = (Unavailable|DeadlineExceeded|Canceled)|EOF|connection reset|no answer within/;

/** talosctl hung up on a machine with another certificate, before it sent anything. */
const SWAPPED = /doesn't match the provided fingerprints/;

/** Sends the config and waits until the node says that it holds what was sent. A machine without a config must show the certificate that was looked at. */
export async function applyNode(context: Context, prospect: Prospect, mode: Mode = "auto"): Promise<void> {
  const { node, config } = prospect;
  const { ui } = context;
  const how = isFresh(prospect)
    ? [...atOpenly(context, node), "--insecure", "--cert-fingerprint", prospect.machine.fingerprint]
    : [...(await at(context, node)), "--mode", mode];
  ui.progress(`applying the machine config of ${node.name}`);
  const sent = await $({ input: config, timeout: "2m" })`cat | talosctl apply-config ${how} --file /dev/stdin`.nothrow();
  if (sent.exitCode !== 0) {
    const said = inShort(saidBy(sent));
    if (SWAPPED.test(saidBy(sent)))
      throw new Failure({
        attempted: `apply the machine config of ${node.name}`,
        said: `the machine at ${node.address} no longer shows the certificate that it showed during the look`,
        now: "nothing was sent to it",
        next: `task talos:apply NODE=${node.name} looks again`,
      });
    if (!DOUBTFUL.test(saidBy(sent)))
      throw new Failure({
        attempted: `apply the machine config of ${node.name}`,
        said,
        next:
          isFresh(prospect) && notKnownToIt(said)
            ? `boot it from the ISO of Talos ${context.versions.TALOS_VERSION} (task talos:prepare-iso), then: task talos:apply NODE=${node.name}`
            : `task talos:status, then: task talos:apply NODE=${node.name}`,
      });
    ui.say(`${node.name}: ${said}; looking at what it holds`);
  }
  await expectConfig(context, node, config, idFor(mode));
  ui.say(`${node.name} holds the config${AFTERWARDS[mode] ?? ""}`);
}

const AFTERWARDS: Partial<Record<Mode, string>> = {
  staged: " for its next boot",
  try: "; it takes it back within a minute: MODE=auto keeps it",
};

await main(import.meta, apply);
