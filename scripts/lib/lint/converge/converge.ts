// The simulation of a first install: the objects that become ready, in waves; those that never do, with the cause; and those that need a second attempt.
import type { Finding, Tree } from "../../tree/types.ts";
import { causesOf } from "./causes.ts";
import { endpointFindings } from "./endpoint.ts";
import { needlessNotes } from "./needless.ts";
import { unknownVariables } from "./guessed.ts";
import { slowNotes } from "./slow.ts";
import { readyExpressions, storeHosts, unknownCharts } from "./unknowns.ts";
import { retryNotes } from "./retries.ts";
import { stallFindings } from "./stalls.ts";
import type { Step } from "./step.ts";
import { criticalPath, wavesOf, type Link, type Wave } from "./waves.ts";
import { modelOf, type Model } from "./model.ts";
import { run, type State } from "./state.ts";
import { worldOf, type SimulationInput, type World } from "./world.ts";

export interface Convergence {
  findings: Finding[];
  world: World;
  model: Model;
  state: State;
  /** Steps that cannot complete unless a reported cause is fixed. */
  stuck: ReadonlySet<Step>;
  waves: Wave[];
  criticalPath: Link[];
}

/** Simulates a first install after the bootstrap until nothing changes. */
export function converge(tree: Tree, input: SimulationInput): Convergence {
  const world = worldOf(tree, input);
  const model = modelOf(world);
  const state = run(model.steps, model.given);
  const stuck = new Set(state.stuck());
  const findings = causesOf(state, world);
  const errors = [...findings, ...endpointFindings(world), ...stallFindings(world, model, state, stuck)];
  const circular = new Set(errors.filter(({ rule }) => rule === "dependency-circle").map(({ object }) => object));
  const needless = needlessNotes(world, model, state).filter(({ rule, object }) => rule !== "needless-depends-on" || !circular.has(object));
  const notes = [
    ...unknownCharts(world),
    ...unknownVariables(world),
    ...readyExpressions(world),
    ...storeHosts(world),
    ...retryNotes(state, stuck),
    ...slowNotes(world, model, state, stuck),
    ...needless,
  ];
  return { findings: [...errors, ...notes], world, model, state, stuck, waves: wavesOf(model, state), criticalPath: criticalPath(state) };
}
