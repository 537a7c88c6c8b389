// The end state of a home in a form in which two runs can be compared: no times, no generated ids, nothing random.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { layoutOf } from "../environment.ts";
import { whenPresent } from "../present.ts";
import { addressesOf, hostnameOf, isLearner } from "../world/talos/machines.ts";
import type { World } from "../world/world.ts";

const digest = (text: string | Buffer) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Everything that counts at the end of a run; other rooms of the world add theirs. */
export function snapshotOf(world: World, project: string, others: Record<string, unknown>): unknown {
  return {
    vault: vault(world),
    machines: machines(world),
    factory: Object.keys(world.state.factory.schematics).sort(),
    files: files(world.folder, project),
    ...others,
  };
}

/** Which fields have a value; the values are as random as their makers. */
function vault({ state: { vault } }: World) {
  const nameOf = (id: string) => vault.vaults.find((one) => one.id === id)?.name ?? id;
  return vault.items
    .map(({ title, vault: id, category, tags, fields }) => ({
      title,
      vault: nameOf(id),
      category,
      tags: [...tags].sort(),
      fields: fields.map(({ label, type, value }) => `${label} ${type} ${value ? "set" : "empty"}`).sort(),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function machines(world: World) {
  const all = Object.values(world.state.machines).sort((a, b) => (a.mac < b.mac ? -1 : 1));
  const clusters = [...new Set(all.flatMap(({ etcd }) => (etcd ? [etcd.cluster] : [])))];
  return all.map((machine) => {
    const { mac, vm, stage, disks, installed, next, config, etcd, complaint } = machine;
    return {
      mac,
      vm,
      stage,
      addresses: addressesOf(machine),
      hostname: hostnameOf(machine),
      disks: disks.map(({ device, path, bytes }) => ({ device, path, bytes })),
      installed: installed && { talos: installed.talos, schematic: installed.schematic, platform: installed.platform },
      // written down by an upgrade that was not booted
      next: next?.talos,
      config: config && { active: digest(config.active), persistent: digest(config.persistent) },
      // two clusters are what a second bootstrap leaves
      etcd: etcd && { cluster: clusters.indexOf(etcd.cluster), learner: isLearner(world, machine), out: etcd.out },
      complaint,
    };
  });
}

/** Files that the run made or changed, without the tools' caches and what a helmfile that lost its caller leaves of its values: names and modes, and of the ledger what is still open. Reports are the run's own. */
function files(folder: string, project: string): string[] {
  const { state, repo, user, tmp, kubeconfig, talosconfig, ageKey } = layoutOf(folder);
  const shown = (file: string) => {
    const mode = whenPresent(() => statSync(file).mode);
    return mode === undefined ? [] : [`${relative(folder, file)} ${(mode & 0o777).toString(8)}`];
  };
  const own = [kubeconfig, talosconfig, ageKey].flatMap(shown);
  const kept = [state, user, tmp]
    .flatMap(below)
    .map((file) => relative(folder, file))
    .filter((name) => !/^state\/runs\/|^tmp\/(tsx|node-compile-cache|helmfile\d)|^user\/\.(cache|config|local|kube\/cache)\//.test(name))
    .map(withoutTimes);
  const changed = below(repo).filter((file) => {
    if (relative(repo, file).startsWith(".git/")) return false; // the pushed commit counts, by what Flux makes of it
    const [origin, now] = [join(project, relative(repo, file)), file].map((path) => whenPresent(() => readFileSync(path)));
    return now !== undefined && !origin?.equals(now);
  });
  return [...own, ...kept, ...changed.flatMap(shown)].sort();
}

const withoutTimes = (name: string) =>
  name.replaceAll(/\d{4}-\d\d-\d\dT[\d.-]+Z/g, "<time>").replaceAll(/\.\d+\.[0-9a-f]{8}\.draft/g, ".<pid>.draft");

function below(folder: string): string[] {
  const entries = whenPresent(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => (entry.isDirectory() ? below(join(folder, entry.name)) : [join(folder, entry.name)]));
}
