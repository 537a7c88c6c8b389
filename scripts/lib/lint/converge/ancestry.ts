// Guaranteed order: a step completes after every step that it waits for, and after every step for which those wait.
import { blocks, type State } from "./state.ts";
import type { Step } from "./step.ts";

export interface Ancestry {
  /** Whether the first step is always complete before the first attempt of the second. */
  precedes(first: Step, second: Step): boolean;
}

/** Looks backwards from a step, never behind the time of what it looks for. */
export function ancestry({ taken, reached }: Pick<State, "taken" | "reached">): Ancestry {
  const marks = new Map<Step, number>();
  let look = 0;
  return {
    precedes(first, second) {
      const at = taken.get(first)?.at;
      const began = taken.get(second)?.began;
      if (at === undefined || began === undefined || at > began) return false;
      look++;
      const queue: Step[] = [];
      const see = (step: Step, guardsOnly: boolean) => {
        for (const need of step.needs) {
          if (!blocks(need) || (guardsOnly && need.how !== "guard")) continue;
          const by = reached.get(need.key)?.by;
          if (!by || marks.get(by) === look || taken.get(by)!.at < at) continue;
          marks.set(by, look);
          queue.push(by);
        }
      };
      see(second, true);
      for (let step = queue.pop(); step; step = queue.pop()) {
        if (step === first) return true;
        see(step, false);
      }
      return false;
    },
  };
}
