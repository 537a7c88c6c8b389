// A HelmRelease as the simulation sees it.
import type { ChartFacts } from "../chart-facts.ts";
import type { Key } from "./step.ts";

export interface Release {
  name: string;
  namespace: string;
  /** The release's name in Helm: what templates see. */
  releaseName: string;
  chart?: string;
  facts?: ChartFacts;
  values: Record<string, unknown>;
  /** The object that its chart comes from. */
  chartSource?: Key;
}
