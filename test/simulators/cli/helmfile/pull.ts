// How the stand-in for helmfile gets a chart out of its registry, and what helm and helmfile say when it does not.
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

/** How often helm asks a registry that is busy before it gives up (seen with 4.3). */
const TRIES = 6;
const SLOW_MS = 3_000;

/** Pulls the release's chart and says so on stderr; throws as helmfile does, which puts it in brackets for `template` and `sync` alike. */
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

/** Helm's words, or undefined when the registry hands the chart out. */
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

/** Each try is one request that the fault can strike; the waits between them are left out. */
function triesAreUsedUp(world: World, fault: Fault): boolean {
  for (let tried = 0; tried < TRIES; tried += 1) if (!world.strikes(fault)) return false;
  return true;
}
