// What a kind of object waits for before it is ready, and what it brings then.
import type { KubeObject, Source } from "../../tree/types.ts";
import type { Key, Need } from "./step.ts";
import type { World } from "./world.ts";

export interface Behaviour {
  needs: Need[];
  provides?: Key[];
  /** Seconds until it is ready once all is there. */
  takes?: number;
  /** The API that must have a controller, or it never becomes ready. */
  controller?: string;
}

export type Behave = (object: KubeObject, source: Source, world: World) => Behaviour;
