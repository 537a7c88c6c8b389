// The stand-in for helmfile (v1.8.0): lists releases, prints what their charts define, and syncs one release as helm would.
import { stringify } from "yaml";
import { pending } from "../../world/cluster/cluster.ts";
import { renderedBy } from "../../world/charts/objects.ts";
import { chartAt, chartName } from "../../world/charts/cluster-charts.ts";
import { cannotInstall, type Install, install, isAvailable, releaseAt, settle, workloadsOf } from "../../world/charts/cluster-releases.ts";
import { entriesOf } from "../../world/cluster/store.ts";
import { isEstablished } from "../../world/cluster/kinds.ts";
import { type Call, type Tool, Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import { type Flag, readFlags, type Words } from "../flags.ts";
import { goError } from "../go-errors.ts";
import { commandFailed } from "./failed.ts";
import { pullChart } from "./pull.ts";
import { type HelmfileRelease, readHelmfile } from "./state.ts";
import { KubeError, moment, reachApiAsHelm, writing } from "../kubectl/client.ts";
import { columns } from "../table.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

const SWITCH: Flag = { is: "switch" };
const FLAGS: Record<string, Flag> = {
  version: SWITCH,
  quiet: { is: "switch", short: "q" },
  file: { is: "text", short: "f" },
  selector: { is: "text", short: "l" },
  output: { is: "text" },
  "include-crds": SWITCH,
  "no-hooks": SWITCH,
  "hide-notes": SWITCH,
};

export const helmfile: Tool = async (world, call) => {
  const words = readFlags(call.argv, FLAGS);
  if (words.on("version")) {
    call.out("helmfile version v1.8.0\n");
    return 0;
  }
  const file = words.text("file");
  const [command] = words.rest;
  if (file === undefined || words.rest.length !== 1) throw new Untaught("helmfile without --file, or with more than one command");
  try {
    const all = await releasesOf(call, file);
    const selector = words.text("selector");
    const name = selector === undefined ? undefined : /^name=([\w-]+)$/.exec(selector)?.[1];
    if (selector !== undefined && name === undefined) throw new Untaught(`--selector ${selector}`);
    const chosen = all.filter((release) => name === undefined || release.name === name);
    if (chosen.length === 0) {
      call.err(`err: no releases found that matches specified selector(${selector}) and environment(default), in any helmfile\n`);
      return 3;
    }
    if (command === "list") list(call, chosen, words.text("output"));
    else if (command === "template") await template(world, call, file, chosen, words);
    else if (command === "sync") await sync(world, call, file, chosen);
    else throw new Untaught(`helmfile ${command}`);
    return 0;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

async function releasesOf(call: Call, file: string): Promise<HelmfileRelease[]> {
  try {
    return await readHelmfile(call, file);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && path?.endsWith(file.replace(/^.*\//, ""))) throw new KubeError(`specified state file ${file} is not found`);
    if (error instanceof Untaught) throw error;
    throw new KubeError(`in ${file}: ${code ? goError(path ?? file, error) : (error as Error).message}`);
  }
}

/** Sorted by namespace, then name, as the real one does. */
function list(call: Call, releases: HelmfileRelease[], output: string | undefined): void {
  if (output !== "json") throw new Untaught("list without --output json");
  const rows = releases
    .map(({ name, namespace, chart, version }) => ({
      name,
      namespace,
      enabled: true,
      installed: true,
      labels: `chart:${chart.split("/").at(-1)},name:${name},namespace:${namespace}`,
      chart,
      version,
    }))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  call.out(`${JSON.stringify(rows)}\n`);
}

async function template(world: World, call: Call, file: string, releases: HelmfileRelease[], words: Words): Promise<void> {
  const quiet = words.on("quiet");
  for (const release of releases) {
    if (!chartAt(release.chart)) throw new Untaught(`the chart ${release.chart}`);
    await pullChart(world, call, file, release, quiet);
  }
  for (const { name, namespace, chart, version, values } of releases) {
    if (!quiet) call.err(`Templating release=${name}, chart=${chart}\n`);
    const { crds, objects } = renderedBy({ name, namespace, url: chart, version, values });
    const print = (from: string) => (object: KubeObject) => call.out(`---\n# Source: ${chartName(chart)}/${from}\n${stringify(object)}\n`);
    if (words.on("include-crds")) crds.forEach(print("crds/crds.yaml"));
    inOrder(objects).forEach(print("templates/objects.yaml"));
  }
}

/** Helm prints what a chart renders in the order in which it would install it. */
const ORDER = ["CustomResourceDefinition", "DaemonSet", "Deployment"];
const inOrder = (objects: KubeObject[]) => {
  const rank = ({ kind }: KubeObject) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return [...objects].sort((a, b) => rank(a) - rank(b));
};

async function sync(world: World, call: Call, file: string, releases: HelmfileRelease[]): Promise<void> {
  for (const release of releases) {
    const { name, namespace, chart, version, values } = release;
    if (!chartAt(chart)) throw new Untaught(`the chart ${chart}`);
    const began = Date.now();
    await pullChart(world, call, file, release);
    call.err(`Upgrading release=${name}, chart=${chart}, namespace=${namespace}\n`);
    try {
      await reachApiAsHelm({ world, call });
      await upgrade(world, { name, namespace, url: chart, version, values });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      throw failed(call, file, release, error.message);
    }
    const { revision = 1, updated = 0 } = releaseAt(world.state.cluster, namespace, name) ?? {};
    call.err(
      `Release "${name}" ${revision > 1 ? "has been upgraded. Happy Helming!" : "does not exist. Installing it now."}\nNAME: ${name}\nLAST DEPLOYED: ${new Date(updated).toUTCString()}\nNAMESPACE: ${namespace}\nSTATUS: deployed\nREVISION: ${revision}\n\n`,
    );
    call.err(
      `UPDATED RELEASES:\n${columns([
        ["NAME", "NAMESPACE", "CHART", "VERSION", "DURATION"],
        [name, namespace, chart, version, `${Math.round((Date.now() - began) / 1000)}s`],
      ])}\n`,
    );
  }
}

const STUCK_FOR = 20 * 60_000;
/** In real time, and only to stop a hang: helm gives up here as soon as nothing is under way any more. */
const PATIENCE_MS = 300_000;

async function upgrade(world: World, wanted: Install): Promise<void> {
  const { name, namespace } = wanted;
  if (name === "coredns" && !releaseAt(world.state.cluster, namespace, name) && world.strikes("helm-stuck")) {
    world.change("world", "a helm that died left coredns pending", ({ cluster }) => {
      const left = install(cluster, wanted, world.now() - STUCK_FOR, "pending-install");
      left.history[0]!.description = "Initial install underway";
    });
  }
  const had = releaseAt(world.state.cluster, namespace, name);
  if (had && /^pending|^uninstalling/.test(had.status))
    throw new KubeError("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress");
  const refused = cannotInstall(world.state.cluster, wanted);
  if (refused) throw new KubeError(`Error: ${refused}`);
  // helm writes a release down as pending before anything else; one whose helm lives on is so until it is done
  writing(
    world,
    `helm install ${name}`,
    (_, state) => void install(state, wanted, world.now(), had ? "pending-upgrade" : "pending-install"),
  );
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const late = workloadsOf(world.state.cluster, name, namespace).filter((entry) => !isAvailable(entry));
    if (late.length === 0 && entriesOf(world.state.cluster, "customresourcedefinitions.apiextensions.k8s.io").every(isEstablished)) {
      return world.change("world", `helm is done with ${name}`, ({ cluster }) => settle(cluster, namespace, name, "deployed"));
    }
    // what will not come up by itself needs no ten minutes here
    if (!pending(world) || Date.now() > until) {
      const { kind, metadata } = late[0]?.object ?? { kind: "CustomResourceDefinition", metadata: { name } };
      world.change("world", `helm gives up on ${name}`, ({ cluster }) => settle(cluster, namespace, name, "failed"));
      throw new KubeError(
        `Error: ${had ? "UPGRADE FAILED: " : ""}resource ${kind}/${namespace}/${metadata.name} not ready. status: InProgress, message: Available: 0/1\ncontext deadline exceeded`,
      );
    }
    await moment();
  }
}

/** How helmfile tells that helm failed. */
function failed(call: Call, file: string, { name, namespace, chart, version }: HelmfileRelease, said: string): KubeError {
  call.err(
    `\nFAILED RELEASES:\n${columns([
      ["NAME", "NAMESPACE", "CHART", "VERSION", "DURATION"],
      [name, namespace, chart, version, "0s"],
    ])}\n`,
  );
  const args = ["helm", "upgrade", "--install", name, chart, "--version", version, "--namespace", namespace, "--wait"];
  return new KubeError(`in ${file}: failed processing release ${name}: ${commandFailed(args, said)}`);
}
