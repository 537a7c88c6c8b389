// Lists what procedures left behind, as the ledger has it and the outside shows it, and undoes it when asked.
import type { Context } from "./lib/run/context.ts";
import { Failure, UsageError } from "./lib/run/errors.ts";
import type { Entry, Torn } from "./lib/ledger/ledger.ts";
import type { Chosen, Room, Sight } from "./lib/ledger/kinds.ts";
import { nearest } from "./lib/text/nearest.ts";
import { flag, maybeText } from "./lib/run/options.ts";
import { describeStep, type Plan } from "./lib/run/plan.ts";
import { main, procedure } from "./lib/run/procedure.ts";
import { toAct } from "./lib/run/to-act.ts";

const { isMovable, seeAll, undoAll } = await toAct(() => import("./lib/ledger/kinds.ts"));
const { nasLeftovers } = await toAct(() => import("./lib/ledger/nas.ts"));
const { suspendedLeftovers } = await toAct(() => import("./lib/flux/suspended.ts"));
const { table } = await toAct(() => import("./lib/run/ui.ts"));

const ROOMS: readonly Room[] = [nasLeftovers, suspendedLeftovers];

const IS = { gone: "does not exist any more", safe: "can be undone", kept: "stays", unknown: "unknown" };

export const leftovers = procedure({
  name: "leftovers",
  about: "list what procedures left behind, and undo it with UNDO=1",
  options: {
    undo: flag("undo what can be undone safely; what was left on purpose only with NAME="),
    name: maybeText("only the leftover of this name"),
  },
  destroys: "VMs that were never started, and their zvols",
  async run({ undo, name }, context) {
    const { ui, ledger } = context;
    const torn = ledger.torn();
    const chosen = chooseByName(ledger.entries(), name);
    const look = () => seeAll(ROOMS, ledger.entries(), context, chosen);
    const seen = await look();
    if (seen.length === 0 && torn.length === 0) return ui.result([], "nothing is left over");
    ui.result([...seen.map(({ entry, ...rest }) => ({ ...entry, ...rest })), ...torn], show(seen, torn));
    const undoes = (sight: Sight) => isMovable(sight) && isAsked(sight, name);
    if (!undo) return void (seen.some(isMovable) && ui.say(hint(seen)));
    if (!seen.some(undoes)) throw nothingToUndo(seen, torn);
    await undoThem(context, look, undoes, seen);
  },
});

async function undoThem(context: Context, look: () => Promise<Sight[]>, undoes: (sight: Sight) => boolean, seen: Sight[]): Promise<void> {
  let first: Sight[] | undefined = seen;
  const { sights } = await context.confirm(async () => {
    const now = first ?? (await look());
    first = undefined;
    return planUndo(now.filter(undoes));
  });
  const left = await undoAll(ROOMS, context.ledger.entries(), sights, context);
  if (left.length > 0)
    throw new Failure({
      attempted: "undo everything",
      said: left.map(({ entry, why }) => `${entry.kind} ${entry.name}: ${why}`).join("\n"),
      next: "task leftovers",
    });
  context.ui.say(`undone: ${sights.length} of ${seen.length}`);
}

/** All entries, or those of the name that was typed; a name that none has is an error with the names there are. */
export function chooseByName(entries: readonly Entry[], name: string | undefined): Chosen {
  if (name === undefined) return () => true;
  const names = entries.map((entry) => entry.name);
  if (names.includes(name)) return (entry) => entry.name === name;
  const close = nearest(name, names);
  throw new UsageError(
    `--name (NAME=): no leftover is called "${name}"${close ? `; did you mean ${close}?` : ""}\n  ${names.join(" ") || "nothing is left over"}`,
  );
}

/** What a procedure left on purpose is undone only by its name. The entry of what does not exist any more can always be removed. */
const isAsked = ({ entry, verdict }: Sight, name: string | undefined) => !entry.onPurpose || name !== undefined || verdict === "gone";

const hint = (seen: readonly Sight[]) =>
  [
    ...(seen.some((sight) => isMovable(sight) && isAsked(sight, undefined)) ? ["UNDO=1 undoes what can be undone"] : []),
    ...(seen.some((sight) => isMovable(sight) && !isAsked(sight, undefined)) ? ["UNDO=1 NAME=… undoes what was left on purpose"] : []),
  ].join("; ");

const nothingToUndo = (seen: readonly Sight[], torn: readonly Torn[]) =>
  new Failure({ attempted: "undo anything", said: show(seen, torn), now: "nothing was changed", next: hint(seen) || undefined });

/** The question asks for the names of what is deleted, with commas between. */
export function planUndo(sights: Sight[]): Plan & { sights: Sight[] } {
  const destroyed = sights.filter(({ destroys }) => destroys !== undefined);
  const steps = sights.map(({ entry, verdict, destroys }) => ({
    action: verdict === "gone" ? "remove the ledger entry of" : "undo",
    target: `${entry.kind} ${entry.name}`,
    ...(destroys !== undefined && { destroys: true }),
  }));
  return {
    title: "leftovers: undo",
    lines: steps.map(describeStep),
    ...(destroyed.length > 0 && {
      destroys: { what: destroyed.map(({ destroys }) => destroys!), name: destroyed.map(({ entry }) => entry.name).join(",") },
    }),
    steps,
    sights,
  };
}

const show = (sights: readonly Sight[], torn: readonly Torn[]) =>
  [
    ...(sights.length === 0
      ? []
      : [
          table(
            ["what", "name", "since", "by", "left", "now", "why"],
            sights.map(({ entry, verdict, why }) => [
              entry.kind,
              entry.name,
              entry.at.slice(0, 16).replace("T", " "),
              entry.procedure,
              entry.onPurpose ? "on purpose" : "interrupted",
              IS[verdict],
              why,
            ]),
          ),
        ]),
    ...torn.map(({ file, why }) => `${why}\n  it is unknown what was changed; look at the file, then remove it: ${file}`),
  ].join("\n");

await main(import.meta, leftovers);
