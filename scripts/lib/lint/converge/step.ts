// The steps of the simulation, with the keys that each needs and provides.
import type { Source } from "../../tree/types.ts";

/** Something that can exist or be ready: `kind:cert-manager.io/Certificate`, `exists:Secret/network/tls`, `ready:Deployment.apps/default/app`. */
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
  /** The reason, as the predicate of a sentence about the unit; % is the thing: "substitutes from %". */
  why: string;
  /** The line that states the need. */
  source: Source;
}

export interface Step {
  /** Unique, for people: `Kustomization network/app: apply`. */
  name: string;
  /** The Kustomization or HelmRelease that takes it. */
  unit: Unit;
  needs: Need[];
  provides: Key[];
  /** Estimated seconds, for times only. */
  takes: number;
  source: Source;
}

/** A Kustomization, a release or an object that becomes ready some time after it is applied. */
export interface Unit {
  /** `Kustomization network/app` */
  name: string;
  /** True for a Kustomization: a need that another Kustomization provides puts it into the next wave. */
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
