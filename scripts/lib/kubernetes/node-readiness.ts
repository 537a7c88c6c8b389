// Whether all expected nodes are Ready, and which are not, with the reason.
import { condition, type KubernetesObject } from "./kubernetes.ts";
import type { Probe } from "../run/wait.ts";

export function readiness(expected: string[], found: KubernetesObject[]): Probe<number> {
  const why = expected.flatMap((name) => {
    const node = found.find(({ metadata }) => metadata.name === name);
    if (!node) return [`${name} is not registered`];
    const ready = condition(node, "Ready");
    return ready?.status === "True" ? [] : [`${name}: ${ready?.reason ?? "no status yet"}`];
  });
  return why.length ? { waiting: why.join(", ") } : { ready: expected.length };
}
