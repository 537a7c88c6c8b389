// Lists what interrupted procedures left behind, as the ledger has it and the outside shows it, and puts it back when asked.
import { Failure } from "./lib/errors.ts";
import { type Room, seeAll, type Sight, undoAll } from "./lib/leftovers/kinds.ts";
import { nasLeftovers } from "./lib/leftovers/nas.ts";
import { suspendedLeftovers } from "./lib/leftovers/suspended.ts";
import { flag } from "./lib/options.ts";
import { describeStep, type Plan } from "./lib/plan.ts";
import { main, procedure } from "./lib/procedure.ts";
import { table } from "./lib/ui.ts";

const ROOMS: readonly Room[] = [nasLeftovers, suspendedLeftovers];

const IS = { gone: "not there any more", safe: "can be undone", kept: "stays", unknown: "unknown" };

export const leftovers = procedure({
  name: "leftovers",
  about: "list what an interrupted procedure left behind, and put it back with UNDO=1",
  options: { undo: flag("undo what can be undone safely") },
  destroys: "VMs that were never started, and their zvols",
  async run({ undo }, context) {
    const { ui, ledger } = context;
    const look = () => seeAll(ROOMS, ledger.entries(), context);
    const seen = await look();
    if (seen.length === 0) return ui.result([], "nothing is left over");
    ui.result(
      seen.map(({ entry, ...rest }) => ({ ...entry, ...rest })),
      show(seen),
    );
    if (!undo) return void (seen.some(isMovable) && ui.say("UNDO=1 undoes what can be undone"));
    if (!seen.some(isMovable)) throw new Failure({ attempted: "put anything back", said: show(seen), now: "nothing was changed" });
    let first: Sight[] | undefined = seen;
    const { sights } = await context.confirm(async () => {
      const now = first ?? (await look());
      first = undefined;
      return planUndo(now, context.cluster.name);
    });
    const movable = sights.filter(isMovable);
    const left = await undoAll(ROOMS, sights, context);
    if (left.length > 0)
      throw new Failure({
        attempted: "put everything back",
        said: left.map(({ entry, why }) => `${entry.kind} ${entry.name}: ${why}`).join("\n"),
        next: "task leftovers",
      });
    ui.say(`undone: ${movable.length} of ${sights.length}`);
  },
});

const isMovable = ({ verdict }: Sight) => verdict === "gone" || verdict === "safe";

function planUndo(sights: Sight[], name: string): Plan & { sights: Sight[] } {
  const movable = sights.filter(isMovable);
  const destroyed = movable.flatMap(({ destroys }) => destroys ?? []);
  const steps = movable.map(({ entry, verdict, destroys }) => ({
    action: verdict === "gone" ? "remove the ledger entry of" : "undo",
    target: `${entry.kind} ${entry.name}`,
    ...(destroys !== undefined && { destroys: true }),
  }));
  return {
    title: "leftovers: undo",
    lines: steps.map(describeStep),
    ...(destroyed.length > 0 && { destroys: { what: destroyed, name } }),
    steps,
    sights,
  };
}

const show = (sights: readonly Sight[]) =>
  table(
    ["what", "name", "since", "by", "now", "why"],
    sights.map(({ entry, verdict, why }) => [
      entry.kind,
      entry.name,
      entry.at.slice(0, 16).replace("T", " "),
      entry.procedure,
      IS[verdict],
      why,
    ]),
  );

await main(import.meta, leftovers);
