// What the simulation is made of: steps that the cluster takes, what each needs, and what exists once it is taken.
import type { Source } from "../../tree/types.ts";

/** Something that can exist or be ready: `kind:cert-manager.io/Certificate`, `secret:network/tls`, `ready:Deployment.apps/default/app`. */
export type Key = string;

/**
 * How a lack shows. `guard`: whoever needs it asks first and waits, nothing fails. `attempt`: it is tried, fails whole and is repeated.
 * `wait`: the cluster itself waits for it (a Pod for its Secret, a claim for its volume). `passing`: it fails while the other is on its
 * way and passes both before and after (an admission webhook whose Pods are not up yet): it never blocks for good.
 */
export type How = "guard" | "attempt" | "wait" | "passing";

export interface Need {
  key: Key;
  how: How;
  /** Why it is needed, to be read after the name of the one who needs it: "substitutes from %". */
  why: string;
  /** Where that is said. */
  source: Source;
}

export interface Step {
  /** Unique, for people: `Kustomization network/app: apply`. */
  name: string;
  /** The Kustomization or HelmRelease that takes it. */
  unit: Unit;
  needs: Need[];
  provides: Key[];
  /** Seconds that it takes when nothing is in the way: an estimate, for the critical path only. */
  takes: number;
  source: Source;
}

/** A Kustomization, a release or an object that becomes ready by itself: what a person would name. */
export interface Unit {
  /** `Kustomization network/app` */
  name: string;
  /** Where a wave begins: a Kustomization. Everything that one brings along counts to its wave. */
  opensWave: boolean;
  /** Seconds until a failed attempt is repeated. */
  retry: number;
  /** The Kustomization that applies it. */
  parent?: Unit;
  source: Source;
}

export const APPLIED = "can begin only once it is applied";
export const DEPENDS_ON = "dependsOn %";
export const SUBSTITUTES = "substitutes from %";

export const need = (key: Key, how: How, why: string, source: Source): Need => ({ key, how, why, source });
