// Lists what procedures left behind, as the ledger has it and the outside shows it, and undoes it when asked.
import type { Context } from "./lib/run/context.ts";
import { Failure, UsageError } from "./lib/run/errors.ts";
import type { Entry } from "./lib/ledger/entry.ts";
import type { Torn } from "./lib/ledger/ledger.ts";
import type { Chosen, KindHandler, Leftover, Undone } from "./lib/ledger/leftover.ts";
import { nearest } from "./lib/text/nearest.ts";
import { flag, maybeText } from "./lib/run/options.ts";
import { describeStep, type Plan } from "./lib/run/plan.ts";
import { main, procedure } from "./lib/run/procedure.ts";
import { toAct } from "./lib/run/to-act.ts";

const { isMovable, observeAll, undoAll, VERDICTS } = await toAct(() => import("./lib/ledger/leftover.ts"));
const { nasLeftovers } = await toAct(() => import("./lib/truenas/nas-leftovers.ts"));
const { suspendedLeftovers } = await toAct(() => import("./lib/flux/suspended.ts"));
const { table } = await toAct(() => import("./lib/run/ui.ts"));

const HANDLERS: readonly KindHandler[] = [nasLeftovers, suspendedLeftovers];

export const leftovers = procedure({
  name: "leftovers",
  about: "list what interrupted procedures left, and undo it with UNDO=1",
  options: {
    undo: flag("undo what can be undone safely; what was left on purpose only with NAME="),
    name: maybeText("only the leftover of this name"),
  },
  destroys: "VMs that were never started, and their zvols",
  async run({ undo, name }, context) {
    const { ui, ledger } = context;
    const torn = ledger.torn();
    const chosen = chooseByName(ledger.entries(), name);
    const look = () => observeAll(HANDLERS, ledger.entries(), context, chosen);
    const seen = await look();
    if (undo) return undoThem(context, look, seen, torn, name);
    if (seen.length === 0 && torn.length === 0) return ui.result([], "nothing is left over");
    ui.result([...seen.map(asData), ...torn], show(seen, torn));
    if (seen.some(isMovable)) ui.say(hint(seen));
  },
});

/** Undoes what was asked for. The result says what was undone and what is left, also when nothing could be. */
async function undoThem(
  context: Context,
  look: () => Promise<Leftover[]>,
  seen: readonly Leftover[],
  torn: readonly Torn[],
  name: string | undefined,
): Promise<void> {
  const { ui, ledger } = context;
  const report = ({ undone, left }: Undone) =>
    ui.result({ undone: undone.map(asData), left: [...left.map(asData), ...torn] }, outcome({ undone, left }, torn));
  const undoes = (sight: Leftover) => isMovable(sight) && isAsked(sight, name);
  if (!seen.some(undoes)) {
    report({ undone: [], left: [...seen] });
    if (seen.length === 0 && torn.length === 0) return;
    throw new Failure({ attempted: "undo anything", said: show(seen, torn), now: "nothing was changed", next: hint(seen) || undefined });
  }
  ui.say(show(seen, torn));
  let first: readonly Leftover[] | undefined = seen;
  let all = seen;
  const { leftovers_ } = await context.confirm(async () => {
    all = first ?? (await look());
    first = undefined;
    return planUndo(all.filter(undoes));
  });
  const { undone, left } = await undoAll(HANDLERS, ledger.entries(), leftovers_, context);
  report({ undone, left: [...left, ...all.filter((sight) => !undoes(sight))] });
  if (left.length > 0) throw new Failure({ attempted: "undo everything", said: left.map(inWords).join("\n"), next: "task leftovers" });
}

const asData = ({ entry, ...rest }: Leftover) => ({ ...entry, ...rest });

const inWords = ({ entry, why }: Leftover) => `${entry.kind} ${entry.name}: ${why}`;

/** The result for a person. */
const outcome = ({ undone, left }: Undone, torn: readonly Torn[]): string =>
  undone.length + left.length + torn.length === 0
    ? "nothing is left over"
    : [
        `undone: ${undone.length}`,
        ...undone.map(
          ({ entry, verdict }) => `  ${entry.kind} ${entry.name}${verdict === "gone" ? ": only its ledger entry was removed" : ""}`,
        ),
        `left: ${left.length + torn.length}`,
        ...left.map((sight) => `  ${inWords(sight)}`),
        ...torn.map(({ file, why }) => `  ${file}: ${why}`),
      ].join("\n");

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
const isAsked = ({ entry, verdict }: Leftover, name: string | undefined) => !entry.onPurpose || name !== undefined || verdict === "gone";

const hint = (seen: readonly Leftover[]) =>
  [
    ...(seen.some((sight) => isMovable(sight) && isAsked(sight, undefined)) ? ["UNDO=1 undoes what can be undone"] : []),
    ...(seen.some((sight) => isMovable(sight) && !isAsked(sight, undefined)) ? ["UNDO=1 NAME=… undoes what was left on purpose"] : []),
  ].join("; ");

/** The question asks for the names of what is deleted, with commas between. */
export function planUndo(leftovers_: Leftover[]): Plan & { leftovers_: Leftover[] } {
  const destroyed = leftovers_.filter(({ destroys }) => destroys !== undefined);
  const steps = leftovers_.map(({ entry, verdict, destroys }) => ({
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
    leftovers_,
  };
}

const show = (leftovers_: readonly Leftover[], torn: readonly Torn[]) =>
  [
    ...(leftovers_.length === 0
      ? []
      : [
          table(
            ["what", "name", "since", "by", "left", "now", "why"],
            leftovers_.map(({ entry, verdict, why }) => [
              entry.kind,
              entry.name,
              entry.at.slice(0, 16).replace("T", " "),
              entry.procedure,
              entry.onPurpose ? "on purpose" : "interrupted",
              VERDICTS[verdict],
              why,
            ]),
          ),
        ]),
    ...torn.map(({ file, why }) => `${why}\n  it is unknown what was changed; look at the file, then remove it: ${file}`),
  ].join("\n");

await main(import.meta, leftovers);
