// Creates and boots the VMs of the nodes on the NAS. It checks everything first, and after a failure removes what it created for a VM that was never started.
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import type { Gate } from "../lib/run/gates.ts";
import type { Owner } from "../lib/ledger/entry.ts";
import type { Hold } from "../lib/run/hold.ts";
import { flag, nodeNames } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Machine } from "../lib/truenas/machine.ts";
import type { Nas } from "../lib/truenas/nas.ts";
import type { Vm } from "../lib/truenas/queries.ts";
import type { DeployPlan, NodePlan } from "../lib/hypervisor/plan.ts";
import { toAct } from "../lib/run/to-act.ts";

const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { forEachNode } = await toAct(() => import("../lib/run/at-once.ts"));
const { openHttp } = await toAct(() => import("../lib/http/http.ts"));
const { deviations, identity, missingDevices } = await toAct(() => import("../lib/truenas/machine.ts"));
const { connectNas } = await toAct(() => import("../lib/truenas/nas.ts"));
const { findDataset, findVm, ownerOf, stateOf } = await toAct(() => import("../lib/truenas/queries.ts"));
const { NasRefused } = await toAct(() => import("../lib/truenas/refusal.ts"));
const { ensure } = await toAct(() => import("../lib/truenas/ensure.ts"));
const { readNasState } = await toAct(() => import("../lib/hypervisor/nas-state.ts"));
const { openVmHolds } = await toAct(() => import("../lib/hypervisor/vm-holds.ts"));
const { withHolds } = await toAct(() => import("../lib/run/hold.ts"));
const { describePlan, planDeploy, stepsOf } = await toAct(() => import("../lib/hypervisor/plan.ts"));
const { requireTruenas } = await toAct(() => import("../lib/hypervisor/supported.ts"));
const { describeIso, makeIso, wantedIso } = await toAct(() => import("../lib/hypervisor/talos-iso.ts"));

/** planDeploy checks it with its other reads of the NAS. */
const poolGate: Gate = { name: "pool", about: "the pool for the VMs is online and healthy" };

const AT_ONCE = 2;
const NEXT = "task vm:deploy";
const AFTER_FAILURE = `${NEXT} resumes; task leftovers lists what is left`;

export const deploy = procedure({
  name: "vm:deploy",
  about: "create and boot the VMs of the nodes",
  gates: [poolGate],
  options: { node: nodeNames(), "generate-iso": flag("make the ISO first when it is not on the NAS") },
  async run({ node: names, "generate-iso": generate }, context) {
    const { cluster, ui } = context;
    requireTruenas(cluster.hypervisor, deploy.name);
    for (const { why } of context.ledger.torn()) ui.warn(`${why}; task leftovers says more`);
    const nodes = findNodes(cluster, names);
    const iso = await wantedIso(context); // before the connection opens, so that a failure leaves none open
    const nas = await connectNas(context);
    try {
      const { plan, facts, steps, lines } = await context.confirm(async () => {
        const seen = await readNasState(context, nas, nodes, iso.path);
        const decided = planDeploy({ cluster, nodes, iso, waive: context.waive }, seen);
        refuse(decided, iso.path, generate);
        return {
          title: `vm:deploy on TrueNAS (${nas.api})`,
          lines: [
            ...decided.warnings.map((line) => `warning: ${line}`),
            ...(decided.isoFault === undefined ? [] : describeIso(iso)),
            ...describePlan(decided, cluster.truenas, iso.path),
          ],
          steps: stepsOf(decided, seen, iso.path),
          plan: decided,
          facts: seen,
        };
      });
      if (steps.length === 0) return lines.forEach(ui.say);
      if (plan.isoFault !== undefined) await makeIso(context, nas, openHttp(context), iso);
      await deployAll(context, nas, plan, ownerOf(facts.pool!));
    } finally {
      await nas.close();
    }
  },
});

/** Reports all problems at once. */
function refuse({ problems, isoFault }: DeployPlan, path: string, generate: boolean): void {
  const iso = isoFault !== undefined && !generate ? [`${path}: ${isoFault}`] : [];
  if (problems.length + iso.length === 0) return;
  const next = problems.length > 0 ? `fix this, then: ${NEXT}` : `task talos:prepare-iso, or: ${NEXT} GENERATE_ISO=1`;
  throw new Failure({ attempted: "create the VMs", said: [...problems, ...iso].join("\n"), now: "nothing was changed", next });
}

async function deployAll(context: Context, nas: Nas, { nodes }: DeployPlan, owner: Owner): Promise<void> {
  await forEachNode(
    context,
    nodes.filter(({ action }) => action !== "keep"),
    {
      attempted: "create and boot every VM",
      next: AFTER_FAILURE,
      atOnce: AT_ONCE,
      nameOf: ({ node }) => node.name,
    },
    (plan) => withHolds(context, (scope) => deployNode(scope, nas, plan, owner), { next: AFTER_FAILURE }),
  );
}

/** Creates the missing parts of one VM, starts it, and returns when the NAS shows it as planned. */
async function deployNode(context: Context, nas: Nas, plan: NodePlan, owner: Owner): Promise<void> {
  const { ui, signal } = context;
  const { machine, vm: begun, made, entries: earlier, node } = plan;
  const { name } = machine;
  const holds = openVmHolds(context, nas, { owner, procedure: deploy.name, node: node.name, earlier });
  const ensureMade = <T>(thing: string, make: () => Promise<unknown>, look: () => Promise<T | undefined>, seconds?: number) =>
    ensure({ thing, make, look, ui, signal, ...(seconds && { seconds }) });
  const look = () => findVm(nas, name);

  const zvols: Hold<"zvol">[] = [];
  for (const { name: zvol, volsize } of [machine.boot, machine.data]) {
    signal.throwIfAborted();
    const make = () =>
      ensureMade(
        `zvol ${zvol}`,
        () => nas.act("pool.dataset.create", [{ name: zvol, type: "VOLUME", volsize, sparse: true }], { what: zvol }),
        () => findDataset(nas, zvol),
      );
    if (!made.has(zvol)) zvols.push(await holds.zvol(zvol, volsize, make));
    else if (earlier.has(zvol)) zvols.push(await holds.zvol(zvol, volsize, async () => {}));
  }

  let vm = begun;
  const held = await holds.vm(name, async () => {
    vm ??= await ensureMade(`VM ${name}`, () => nas.act("vm.create", [machine.vm], { what: name }), look);
  });
  const { id } = vm!;
  await held.learn({ id });

  for (const device of missingDevices(vm!, machine)) {
    const what = `${name} ${device.attributes.dtype} ${device.order}`;
    await ensureMade(
      `device ${what}`,
      () => nas.act("vm.device.create", [{ vm: id, ...device }], { what }),
      async () => (await look())?.devices.find((there) => identity(there) === identity(device)),
    );
  }
  requireSame(name, await look(), machine);

  if ((await stateOf(nas, id)) !== "RUNNING") {
    const before = held.entry().facts.startAttempted === true;
    await held.learn({ startAttempted: true }); // from here on its disks may hold data, so that nothing deletes it automatically
    let tries = 0;
    try {
      await ensureMade(
        `running VM ${name}`,
        () => ((tries += 1), nas.act("vm.start", [id, { overcommit: false }], { what: name })),
        async () => (await stateOf(nas, id)) === "RUNNING" || undefined,
        120,
      );
    } catch (error) {
      const refused = error instanceof NasRefused && tries === 1 && !before; // an earlier call without a reply may have started it
      if (refused && (await stateOf(nas, id)) === "STOPPED") await held.learn({ startAttempted: false });
      throw error;
    }
  }
  requireSame(name, await look(), machine, "RUNNING");
  for (const zvol of zvols) await zvol.settle();
  await held.settle(); // last: while its entry is open, a later run knows that the disks are ours
  ui.say(`${node.name}: VM ${name} runs`);
}

/** Throws when the VM differs from the plan. */
function requireSame(name: string, vm: Vm | undefined, machine: Machine, state = vm?.status.state): void {
  const wrong = vm
    ? [...deviations(vm, machine), ...(vm.status.state === state ? [] : [`it is ${vm.status.state}`])]
    : ["it does not exist"];
  if (wrong.length > 0) throw new Failure({ attempted: `make VM ${name} as planned`, said: wrong.join("\n") });
}

await main(import.meta, deploy);
