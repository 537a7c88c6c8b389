// Why a tree does not converge, as the smallest set of causes: what nobody brings, then what waits for itself. Each cause is taken for mended before the next is looked for, so that its consequences are not told.
import type { Finding } from "../../tree/types.ts";
import { circleFinding, circlesOf } from "./circles.ts";
import { lacksOf, missingFinding, withoutConsequences } from "./missing.ts";
import type { State } from "./state.ts";
import type { World } from "./world.ts";

/** The findings. Afterwards every step of the state is complete. */
export function causesOf(state: State, world: World): Finding[] {
  const findings: Finding[] = [];
  const lacks = lacksOf(state, world);
  for (const lack of withoutConsequences(lacks, state)) findings.push(missingFinding(lack, world, state));
  for (const { keys } of lacks) for (const key of keys) state.grant(key);
  for (let circles = circlesOf(state); circles.length > 0; circles = circlesOf(state))
    for (const circle of circles) {
      if (state.reached.has(circle.key)) continue;
      findings.push(circleFinding(circle, state, world));
      for (const key of circle.keys) state.grant(key);
    }
  return findings;
}
