// The innermost cycles of a graph (Tarjan's strongly connected components from which nothing leads out).
import type { Step } from "./step.ts";

/** Strongly connected sets from which nothing leads out, without recursion: a chain may be thousands of steps long. */
export function innermost(steps: Step[], next: (step: Step) => readonly Step[]): Step[][] {
  const order = new Map<Step, number>();
  const low = new Map<Step, number>();
  const setOf = new Map<Step, Step[]>();
  const stack: Step[] = [];
  const sets: Step[][] = [];
  for (const root of steps) {
    if (order.has(root)) continue;
    const calls: { step: Step; edges: readonly Step[]; at: number }[] = [];
    const enter = (step: Step) => {
      order.set(step, order.size);
      low.set(step, order.get(step)!);
      stack.push(step);
      calls.push({ step, edges: next(step), at: 0 });
    };
    enter(root);
    for (let call = calls.at(-1); call; call = calls.at(-1)) {
      const edge = call.edges[call.at++];
      if (edge) {
        if (!order.has(edge)) enter(edge);
        else if (!setOf.has(edge)) low.set(call.step, Math.min(low.get(call.step)!, order.get(edge)!));
        continue;
      }
      calls.pop();
      const above = calls.at(-1)?.step;
      if (above) low.set(above, Math.min(low.get(above)!, low.get(call.step)!));
      if (low.get(call.step) !== order.get(call.step)) continue;
      const set = stack.splice(stack.lastIndexOf(call.step));
      for (const step of set) setOf.set(step, set);
      sets.push(set);
    }
  }
  return sets.filter((set) => set.every((step) => next(step).every((other) => setOf.get(other) === set)));
}
