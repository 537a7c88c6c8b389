// How the stand-in for helmfile pulls a chart from its registry, and the errors of helm and helmfile when that fails.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { artifactOf } from "../../world/charts/artifact.ts";
import { chartsAsked } from "../../world/charts/charts-asked.ts";
import type { Fault } from "../../world/faults.ts";
import type { Call } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import type { HelmfileRelease } from "./state.ts";
import { commandFailed } from "./failed.ts";
import { KubeError } from "../kubectl/client.ts";

/** How often helm retries a busy registry before it gives up (seen with 4.3). */
const TRIES = 6;
const SLOW_MS = 3_000;

/** Pulls the release's chart and reports it on stderr. Throws like helmfile, in brackets for both `template` and `sync`. */
export async function pullChart(world: World, call: Call, file: string, release: HelmfileRelease, quiet = false): Promise<void> {
  const { name, chart, version } = release;
  const place = chart.replace("oci://", "");
  if (!quiet) call.err(`Pulling ${place}:${version}\n`);
  const refused = await refusal(world, place, version);
  if (refused !== undefined) {
    const into = join(call.env.HOME ?? "", ".cache/helmfile", `oci__${place.replace(".", "_")}`, version);
    const failed = commandFailed(["helm", "pull", chart, "--destination", into, "--untar", "--version", version], `Error: ${refused}`);
    throw new KubeError(`in ${file}: [release ${JSON.stringify(name)}: ${failed}]`);
  }
  if (!quiet) call.err(`Pulled: ${place}:${version}\nDigest: ${artifactOf(chart, version).digest}\n`);
}

/** Helm's error, or undefined if the registry serves the chart. */
async function refusal(world: World, place: string, version: string): Promise<string | undefined> {
  const manifest = `https://${place.replace("/", "/v2/")}/manifests/${version}`;
  const on = (what: string) => `failed to perform "FetchReference" on source: ${what}`;
  if (world.has("registry-down")) return on(`Get "${manifest}": unexpected EOF`);
  if (triesAreUsedUp(world, "registry-rate-limited"))
    return on(`GET "${manifest}": response status code 429: toomanyrequests: too many requests`);
  if (triesAreUsedUp(world, "registry-flaps")) return on(`GET "${manifest}": response status code 503: Service Unavailable`);
  if (!chartsAsked(join(world.folder, "repo")).get(place)?.has(version)) return on(`${place}:${version}: not found`);
  if (world.strikes("registry-broken")) return 'failed to perform "Push" on destination: mismatched digest';
  if (world.strikes("registry-slow")) await pause(SLOW_MS);
  return undefined;
}

/** Each try is one request that the fault can strike; there is no pause between them. */
function triesAreUsedUp(world: World, fault: Fault): boolean {
  for (let tried = 0; tried < TRIES; tried += 1) if (!world.strikes(fault)) return false;
  return true;
}
