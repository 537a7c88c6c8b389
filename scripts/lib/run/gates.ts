// Gates: checks that must pass before a plan is carried out. A procedure lists its gates; WAIVE= skips only those, by name.
import type { Context } from "./context.ts";
import { Failure, textOf, UsageError } from "./errors.ts";
import { nearest } from "../text/nearest.ts";
import type { Proposed } from "./plan.ts";

/** What a check found. `warning` is shown and does not block. */
export interface Verdict {
  state: "ok" | "warning" | "bad" | "unknown";
  saw: string;
  /** The command or action that fixes it. */
  fix?: string;
}

export interface Gate {
  /** The name that WAIVE= takes. */
  name: string;
  /** What it checks, for --help. */
  about: string;
  /** Checks this plan; undefined if the gate does not apply to it. The procedure itself checks a gate that has no `look`. */
  look?(context: Context, plan: Proposed): Promise<Verdict | undefined>;
}

/** The names in `WAIVE=a,b`. A name that is not one of the procedure's gates is refused. */
export function readGates(text: string | undefined, gates: readonly Gate[], procedure: string): string[] {
  const names = (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  const valid = gates.map(({ name }) => name);
  for (const name of names) {
    if (valid.includes(name)) continue;
    if (valid.length === 0) throw new UsageError(`--waive (WAIVE=${name}): ${procedure} has no gates to skip`);
    const close = nearest(name, valid);
    throw new UsageError(
      `--waive (WAIVE=) does not know "${name}"${close ? `; did you mean ${close}?` : ""}\n  gates of ${procedure}: ${valid.join(" ")}`,
    );
  }
  return names;
}

/**
 * Asks every gate that has a `look`. A bad gate blocks. An unknown one blocks a plan that destroys something or takes down a healthy node, and is a
 * warning otherwise. A waived gate is not asked.
 */
export async function askGates(context: Context, gates: readonly Gate[], plan: Proposed, procedure: string): Promise<void> {
  const asked = gates.filter(({ name, look }) => look && !context.waive.includes(name));
  const answers = await Promise.allSettled(asked.map(async (gate) => ({ gate, verdict: await gate.look!(context, plan) })));
  context.signal.throwIfAborted();
  const isDestructive =
    plan.destroys !== undefined || (plan.takesDown?.length ?? 0) > 0 || (plan.steps ?? []).some(({ destroys }) => destroys);
  const blocking: string[] = [];
  for (const [index, answer] of answers.entries()) {
    const { name } = asked[index]!;
    const verdict: Verdict | undefined =
      answer.status === "fulfilled" ? answer.value.verdict : { state: "unknown", saw: textOf(answer.reason) };
    if (!verdict || verdict.state === "ok") continue;
    const line = `${name}: ${verdict.state === "unknown" ? "unknown: " : ""}${verdict.saw}`;
    if (verdict.state === "bad" || (verdict.state === "unknown" && isDestructive))
      blocking.push(`${line} (WAIVE=${name} skips this check)`);
    else context.ui.warn(line);
  }
  if (blocking.length > 0)
    throw new Failure({
      attempted: `start ${procedure}`,
      said: blocking.join("\n"),
      now: "nothing was changed",
      next: `fix this, then: task ${procedure}`,
    });
}
