// A stage of the bootstrap: it looks first, acts only on what is missing, and is done when looking again says so.
import type { Context } from "./context.ts";
import { Failure } from "./errors.ts";
import type { Procedure } from "./procedure.ts";
import { pause } from "./wait.ts";

export interface Seen {
  /** `unknown`: it cannot be observed yet, as etcd on a node that has no config. */
  state: "done" | "partly" | "to do" | "unknown";
  /** What was observed, in a few words: "2 of 3 members". */
  saw: string;
  /** What will be done about it, a line each. */
  todo?: string[];
}

export interface Stage extends Procedure<Record<string, never>> {
  observe(context: Context): Promise<Seen>;
  act(context: Context): Promise<void>;
}

/** Makes a stage of how to look and how to act; alone it is a procedure like any other. */
export const stage = (spec: Pick<Stage, "name" | "about" | "observe" | "act"> & { destroys?: string }): Stage => ({
  ...spec,
  options: {},
  async run(_values, context) {
    const seen = await spec.observe(context);
    if (seen.state === "done") return context.ui.say(`${spec.name}: already true: ${seen.saw}`);
    await context.ui.confirm({ title: `${spec.name}: ${seen.saw}`, lines: seen.todo ?? [spec.about] });
    const after = await carryOut(spec, context);
    context.ui.say(`${spec.name}: ${after.saw}`);
  },
});

/** How often it is looked whether an act had its effect, when that cannot be seen for the moment. */
const LOOKS = 4;

/** Acts and asks again: only what the outside confirms is a success. */
export async function carryOut(spec: Pick<Stage, "name" | "about" | "observe" | "act">, context: Context): Promise<Seen> {
  await spec.act(context);
  let after = await spec.observe(context);
  for (let look = 1; look < LOOKS && after.state === "unknown"; look += 1) {
    await pause(1000);
    after = await spec.observe(context);
  }
  if (after.state === "done") return after;
  throw new Failure({ attempted: spec.about, now: `${after.state}: ${after.saw}`, next: `task ${spec.name}` });
}
