// The stand-in for helm (v4.2.4): looks at releases, takes them away, rolls them back. Installing goes through helmfile alone.
import { stringify } from "yaml";
import { renderedBy } from "../../world/charts/objects.ts";
import { applyObjects, releaseAt, uninstall } from "../../world/charts/cluster-releases.ts";
import { type Tool, Untaught } from "../../world/tool.ts";
import { type Flag, readFlags, type Words } from "../flags.ts";
import { KubeError, reachApiAsHelm, writing } from "../kubectl/client.ts";
import { columns } from "../table.ts";
import type { World } from "../../world/world.ts";
import type { ReleaseState } from "../../world/cluster/state.ts";

const SWITCH: Flag = { is: "switch" };
const COMMON: Record<string, Flag> = { namespace: { is: "text", short: "n" }, output: { is: "text", short: "o" } };

const COMMANDS: Record<string, Record<string, Flag>> = {
  version: { short: SWITCH },
  list: {
    "all-namespaces": { is: "switch", short: "A" },
    deployed: SWITCH,
    failed: SWITCH,
    pending: SWITCH,
    uninstalling: SWITCH,
    superseded: SWITCH,
    uninstalled: SWITCH,
  },
  uninstall: { wait: SWITCH, timeout: { is: "text" }, "ignore-not-found": SWITCH },
  status: {},
  "get values": { all: { is: "switch", short: "a" } },
  "get manifest": {},
  history: {},
  rollback: { wait: SWITCH, timeout: { is: "text" } },
};

export const helm: Tool = async (world, call) => {
  const command =
    Object.keys(COMMANDS).find((name) => name.split(" ").every((word, at) => call.argv[at] === word)) ??
    (call.argv[0] === "ls" ? "list" : undefined);
  if (command === undefined) throw new Untaught("this command of helm");
  const words = readFlags(call.argv, { ...COMMON, ...COMMANDS[command] });
  if (command === "version") {
    if (!words.on("short")) throw new Untaught("version without --short");
    call.out("v4.2.4+g6d1c4d0\n");
    return 0;
  }
  try {
    await reachApiAsHelm({ world, call });
    call.out(run(world, command, words, words.rest.slice(command.split(" ").length)));
    return 0;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

/** Go's time, as helm prints it. */
const timeOf = (at: number) => `${new Date(at).toISOString().replace("T", " ").replace("Z", "")} +0000 UTC`;

function run(world: World, command: string, words: Words, rest: string[]): string {
  const namespace = words.text("namespace") ?? "default";
  const output = words.text("output") ?? "table";
  if (output !== "json" && output !== "table") throw new Untaught(`--output ${output}`);
  if (command === "list") return list(world, words, output, namespace);
  const [name] = rest;
  if (name === undefined) throw new KubeError(`Error: "helm ${command}" requires at least 1 argument`);
  const release = releaseAt(world.state.cluster, namespace, name);
  switch (command) {
    case "uninstall":
      if (!release) {
        if (words.on("ignore-not-found")) return "";
        throw new KubeError(`Error: uninstall: Release not loaded: ${name}: release: not found`);
      }
      writing(world, `helm uninstall ${name}`, (_, state) => uninstall(state, state.releases[`${namespace}/${name}`]!, world.now()));
      return `release "${name}" uninstalled\n`;
    case "status":
      if (!release) throw new KubeError("Error: release: not found");
      return output === "json"
        ? `${JSON.stringify(statusOf(release))}\n`
        : `NAME: ${name}\nLAST DEPLOYED: ${timeOf(release.updated)}\nNAMESPACE: ${namespace}\nSTATUS: ${release.status}\nREVISION: ${release.revision}\n`;
    case "get values":
      if (!release) throw new KubeError("Error: release: not found");
      if (output !== "json") throw new Untaught("get values without --output json");
      return `${JSON.stringify(release.values ?? null)}\n`;
    case "get manifest":
      if (!release) throw new KubeError("Error: release: not found");
      return manifestOf(release);
    case "history":
      if (!release) throw new KubeError("Error: release: not found");
      return history(release, output);
    default:
      if (!release) throw new KubeError("Error: release: not found");
      return rollback(world, release, rest[1]);
  }
}

/** What the templates rendered, as helm keeps it with the release: neither the definitions of a chart's `crds/` nor helm's own annotations are in it. */
const manifestOf = (release: ReleaseState) =>
  renderedBy(release)
    .objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`)
    .join("");

function list(world: World, words: Words, output: string, namespace: string): string {
  const kinds = ["deployed", "failed", "pending", "uninstalling", "superseded", "uninstalled"].filter((flag) => words.on(flag));
  const shown = ({ status }: ReleaseState) => kinds.length === 0 || kinds.some((kind) => status.startsWith(kind));
  const releases = Object.values(world.state.cluster.releases ?? {})
    .filter((release) => shown(release) && (words.on("all-namespaces") || release.namespace === namespace))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = releases.map(({ name, namespace, revision, updated, status, chart, version }) => ({
    name,
    namespace,
    revision: String(revision),
    updated: timeOf(updated),
    status,
    chart: `${chart}-${version}`,
    app_version: version.replace(/^v/, ""),
  }));
  if (output === "json") return `${JSON.stringify(rows)}\n`;
  return columns([
    ["NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"],
    ...rows.map((row) => Object.values(row)),
  ]);
}

const statusOf = ({ name, namespace, revision, status, updated, history }: ReleaseState) => ({
  name,
  info: {
    first_deployed: new Date(history[0]?.updated ?? updated).toISOString(),
    last_deployed: new Date(updated).toISOString(),
    deleted: "",
    description: history.at(-1)?.description ?? "",
    status,
  },
  version: revision,
  namespace,
});

function history({ chart, history }: ReleaseState, output: string): string {
  const rows = history.map(({ revision, updated, status, version, description }) => ({
    revision,
    updated: new Date(updated).toISOString(),
    status,
    chart: `${chart}-${version}`,
    app_version: version.replace(/^v/, ""),
    description,
  }));
  if (output === "json") return `${JSON.stringify(rows)}\n`;
  return columns([["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"], ...rows.map((row) => Object.values(row))]);
}

function rollback(world: World, { name, namespace, history, revision }: ReleaseState, wanted?: string): string {
  const target = history.findLast((one) =>
    wanted === undefined || wanted === "0" ? one.revision < revision : one.revision === Number(wanted),
  );
  if (!target) throw new KubeError(wanted ? `Error: release has no ${wanted} version` : "Error: release has no 0 version");
  writing(world, `helm rollback ${name}`, (_, state) => {
    const release = state.releases[`${namespace}/${name}`]!;
    const updated = world.now();
    Object.assign(release, { revision: release.revision + 1, status: "deployed", version: target.version, updated });
    release.history = release.history.map((one) => (one.status === "deployed" ? { ...one, status: "superseded" } : one));
    release.history.push({
      revision: release.revision,
      updated,
      status: "deployed",
      version: target.version,
      description: `Rollback to ${target.revision}`,
    });
    applyObjects(state, release, updated);
  });
  return "Rollback was a success! Happy Helming!\n";
}
