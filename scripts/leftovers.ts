// Lists what interrupted procedures left behind, as the ledger has it and the outside shows it, and puts it back when asked.
import { Failure } from "./lib/errors.ts";
import { type Room, seeAll, type Sight, undoAll } from "./lib/leftovers/kinds.ts";
import { nasLeftovers } from "./lib/leftovers/nas.ts";
import { suspendedLeftovers } from "./lib/leftovers/suspended.ts";
import { flag } from "./lib/options.ts";
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
    const { ui, ledger, cluster } = context;
    const entries = ledger.entries();
    if (entries.length === 0) return ui.result([], "nothing is left over");
    const sights = await seeAll(ROOMS, entries, context);
    ui.result(
      sights.map(({ entry, ...rest }) => ({ ...entry, ...rest })),
      show(sights),
    );
    const movable = sights.filter(({ verdict }) => verdict === "gone" || verdict === "safe");
    if (!undo) return void (movable.length > 0 && ui.say("UNDO=1 undoes what can be undone"));
    if (movable.length === 0) throw new Failure({ attempted: "put anything back", said: show(sights), now: "nothing was changed" });
    const destroyed = sights.flatMap(({ destroys }) => destroys ?? []);
    await ui.confirm({
      title: "leftovers: undo",
      lines: movable.map(({ entry, verdict }) => `${verdict === "gone" ? "strike out" : "undo"} ${entry.kind} ${entry.name}`),
      ...(destroyed.length > 0 && { destroys: { what: destroyed, name: cluster.name } }),
    });
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
