// Reads Helm releases for the bootstrap, and decides which helm errors to retry.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../run/errors.ts";
import { explained } from "../run/explained.ts";
import { getAllKnown, steady } from "./kubernetes.ts";
import type { ClusterAccess } from "./access.ts";
import { ask } from "../run/shell.ts";
import { readJson } from "../run/tool-output.ts";

/** A release in the helmfile. */
export interface Wanted {
  name: string;
  namespace: string;
  chart: string;
  version: string;
}

/** A release in the cluster; `chart` is name and version in one word: "cilium-1.20.1". */
export interface Installed {
  name: string;
  namespace: string;
  status: string;
  chart: string;
  updated: string;
  revision: string;
}

/** The releases of a helmfile, in the order of the file: `helmfile list` (1.8.0) sorts them by namespace, which would start with cert-manager. */
export async function wantedReleases(file: string): Promise<Wanted[]> {
  const command = `helmfile --file ${file} list --output json`;
  const said = await explained({ attempted: `list the releases of ${file}` }, () =>
    ask({ timeout: "2m" })`helmfile --file ${file} list --output json`.text(),
  );
  const listed = readJson<Wanted[]>(said, { command }, [{ name: "", namespace: "", chart: "", version: "" }]);
  const order = await releaseNames(await readFile(resolve(String($.cwd ?? "."), file), "utf8"));
  if (listed.length === 0)
    throw new Failure({
      attempted: `list the releases of ${file}`,
      said: `\`${command}\` printed none`,
      next: `look at ${file}`,
    });
  return listed
    .map(({ name, namespace, chart, version }) => ({ name, namespace, chart, version }))
    .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** The names of a helmfile's releases in the order of the file. A test proves that each comes after the releases in its `needs`. */
export async function releaseNames(text: string): Promise<string[]> {
  const { parse } = await import("yaml");
  return (parse(text) as { releases: { name: string }[] }).releases.map(({ name }) => name);
}

/** Every release in the cluster. Helm 3 lists only some statuses unless each is named. */
export async function installedReleases(access: ClusterAccess): Promise<Installed[]> {
  const said = await explained({ attempted: "list the Helm releases of the cluster" }, () =>
    steady(() =>
      access.ask({
        timeout: "1m",
      })`helm list --all-namespaces --deployed --failed --pending --uninstalling --superseded --uninstalled --output json`.text(),
    ),
  );
  return readJson(said, { command: "helm list --all-namespaces --output json" }, [
    { name: "", namespace: "", status: "", chart: "", updated: "", revision: "" },
  ]);
}

export type Release = Wanted & {
  is:
    | "deployed"
    | "absent"
    | "outdated"
    | "failed"
    /** A helm process is installing it, upgrading it or rolling it back. */
    | "pending"
    /** A helm process is uninstalling it, perhaps on purpose. */
    | "uninstalling"
    /** The helm process that installed it died before the release was deployed. */
    | "stuck"
    /** The helm process that upgraded it or rolled it back died. */
    | "halfway"
    /** The helm process that uninstalled it died. */
    | "half removed"
    /** Helm reports a status that this version does not know. */
    | "unknown"
    /** Flux manages it, whatever its state. */
    | "flux";
  /** Helm's own name of the status. */
  status?: string;
};

export interface Releases {
  installed: Installed[];
  /** `namespace/name` of the releases that Flux manages. Flux fixes them, and their version in Git may be newer than in this checkout. */
  kept: ReadonlySet<string>;
}

/** All releases that helm and Flux know. */
export async function releases(access: ClusterAccess): Promise<Releases> {
  const [installed, objects] = await Promise.all([installedReleases(access), getAllKnown(access, "helmreleases.helm.toolkit.fluxcd.io")]);
  const live = (objects ?? []).filter(({ spec }) => spec?.suspend !== true); // Flux manages none while the kind does not exist
  const kept = live.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return { installed, kept: new Set(kept) };
}

/** The state of each wanted release in the cluster. A helm process that is past its own deadline has died. */
export function compareReleases(wanted: Wanted[], { installed, kept }: Releases, now: number, helmTimeoutMs: number): Release[] {
  return wanted.map((release) => {
    const has = installed.find(({ name, namespace }) => name === release.name && namespace === release.namespace);
    if (!has) return { ...release, is: "absent" };
    if (kept.has(`${release.namespace}/${release.name}`)) return { ...release, status: has.status, is: "flux" };
    const died = now - Date.parse(withZone(has.updated)) > helmTimeoutMs;
    return { ...release, status: has.status, is: stateOf(has, release.version, died) };
  });
}

function stateOf({ status, chart }: Installed, version: string, died: boolean): Release["is"] {
  switch (status) {
    case "deployed":
      return isOfVersion(chart, version) ? "deployed" : "outdated";
    case "superseded": // its newest revision was deleted manually; an upgrade continues from this one
      return "outdated";
    case "uninstalled": // `helm uninstall --keep-history`
      return "absent";
    case "failed":
      return "failed";
    case "pending-install":
      return died ? "stuck" : "pending";
    case "pending-upgrade":
    case "pending-rollback":
      return died ? "halfway" : "pending";
    case "uninstalling":
      return died ? "half removed" : "uninstalling";
    default:
      return "unknown";
  }
}

/** Flux's helm-controller removes a leading v from a chart's version and appends the artifact's digest: "cert-manager-1.21.1+1dd0e4f2d977" is v1.21.1. */
function isOfVersion(chart: string, version: string): boolean {
  const bare = version.replace(/^v/, "");
  const is = chart.replace(/\+[0-9a-f]{12}$/, "");
  return is.endsWith(`-${bare}`) || is.endsWith(`-v${bare}`);
}

/** Helm prints Go's time: "2026-01-02 03:04:05.678 +0000 UTC". */
const withZone = (time: string) => time.replace(/^(\S+) (\S+?)(\.\d+)? ([+-]\d{2})(\d{2}).*$/, "$1T$2$4:$5");
