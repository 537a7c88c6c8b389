// Reads a tree as Flux does: it starts at the path that the FluxInstance syncs and follows every Kustomization that another one applies.
import { existsSync } from "node:fs";
import { basename, dirname, join, normalize, relative, resolve } from "node:path";
import { readBootstrap } from "./bootstrap.ts";
import { type Files, openFiles } from "./files.ts";
import { buildObjects, substituted, type Variables } from "./flux.ts";
import { isFluxKustomization, isKind, isObject } from "./object.ts";
import type { Bootstrap, Finding, FluxKustomization, KubeObject, Located, Tree } from "./types.ts";

export interface Where {
  /** The tree (kubernetes/), or the repository that has one. */
  root: string;
  /** The bootstrap's folder; may be missing. */
  bootstrap?: string;
  /** Names of 1Password items (ITEM_…) that replace those of the tree. */
  items?: ReadonlyMap<string, string>;
}

/** Reads a tree. Faults become findings of the tree, never errors; reading more of its files later adds no finding. */
export function readTree(where: Where): Tree & { files: Files } {
  const findings: Finding[] = [];
  const contents = readContents(where, (finding) => void findings.push(finding));
  return { ...contents, findings: [...findings] };
}

type Contents = Omit<Tree, "findings"> & { files: Files };

function readContents({ root, bootstrap, items }: Where, report: (finding: Finding) => void): Contents {
  const folder = existsSync(join(root, "kubernetes")) ? join(root, "kubernetes") : resolve(root);
  const base = baseOf(folder);
  const bootstrapRoot = resolve(bootstrap ?? join(base, "bootstrap"));
  const files = openFiles(existsSync(base) ? base : dirname(base), report);
  const tree: Contents = {
    base,
    root: relative(base, folder),
    bootstrapRoot,
    kustomizations: [],
    bootstrap: { objects: [], releases: [], crdCharts: [] },
    used: files.used,
    files,
  };
  const lacks = (message: string, fix: string) =>
    report({
      rule: "entry",
      level: "error",
      file: tree.root || ".",
      line: 1,
      message,
      why: "Flux has nothing to begin with: a first install ends with an empty cluster",
      fix,
    });
  const notAFolder = (path: string) => (existsSync(path) ? "is a file, not a folder" : "there is no such folder");
  if (files.is(tree.root) !== "folder") return (lacks(notAFolder(folder), "ROOT= names the folder with apps/ and flux/"), tree);
  if (files.names(tree.root).length === 0) return (lacks("the tree is empty", "ROOT= names the folder with apps/ and flux/"), tree);
  if (bootstrap !== undefined && files.is(relative(base, bootstrapRoot)) !== "folder") {
    report({
      rule: "bootstrap",
      level: "error",
      file: relative(base, bootstrapRoot),
      line: 1,
      message: notAFolder(bootstrapRoot),
      why: "what is there before Flux is not known: the proof would leave it open, and pass",
      fix: "BOOTSTRAP= names the folder with helmfile.d/ and resources.yaml.njk; leave it out for the one beside the tree",
    });
    return tree;
  }
  tree.bootstrap = readBootstrap(files, relative(base, bootstrapRoot), report);
  const entry = entryOf(files, tree.root, tree.bootstrap) ?? unreadableEntry(files, tree.root);
  if (!entry)
    return (
      lacks(
        "there is no flux/ with a Kustomization to begin with",
        "add flux/cluster/ks.yaml, and name it as sync.path of the FluxInstance",
      ),
      tree
    );
  tree.kustomizations = discover(files, entry, tree.bootstrap, report, items);
  return tree;
}

/** The repository's root: the nearest folder above the tree from which it is called by the paths that its Kustomizations use. */
function baseOf(folder: string): string {
  const names = [basename(folder)];
  for (let at = dirname(folder); dirname(at) !== at && names.length < 4; at = dirname(at)) {
    if (existsSync(join(at, ".git")) && !existsSync(join(at, "versions.env"))) return at;
    names.unshift(basename(at));
  }
  return dirname(folder);
}

/** The Kustomization that Flux itself is given: the FluxInstance's sync, or what `flux bootstrap` wrote, or flux/cluster. */
function entryOf(files: Files, root: string, bootstrap: Bootstrap): FluxKustomization | undefined {
  const sync = bootstrap.releases
    .map(({ values }) => (values?.instance as { sync?: { path?: string } } | undefined)?.sync)
    .find((one) => one?.path);
  const candidates = [sync?.path, join(root, "flux/cluster"), join(root, "flux/config"), join(root, "flux"), join(root, "flux-system")];
  const path = candidates
    .map((one) => one && normalize(one))
    .find((one) => one && files.is(one) === "folder" && hasKustomization(files, one));
  if (!path) return undefined;
  const spec = { interval: "1h", path: `./${path}`, prune: true, sourceRef: { kind: "GitRepository", name: "flux-system" } };
  return { name: "flux-system", namespace: "flux-system", spec, source: { file: path, line: 1 }, objects: [], built: [] };
}

/** If flux/ exists but is not valid YAML, reads the applications as if it named them, so that their faults are reported too. */
function unreadableEntry(files: Files, root: string): FluxKustomization | undefined {
  const faulty = files.under(join(root, "flux"), (path) => /\.ya?ml$/.test(path)).find((path) => files.isFaulty(path));
  const path = join(root, "apps");
  if (faulty === undefined || files.is(path) !== "folder") return undefined;
  const spec = { interval: "1h", path: `./${path}`, prune: true, sourceRef: { kind: "GitRepository", name: "flux-system" } };
  return { name: "flux-system", namespace: "flux-system", spec, source: { file: faulty, line: 1 }, objects: [], built: [] };
}

const hasKustomization = (files: Files, folder: string) =>
  files
    .under(folder, (path) => /\.ya?ml$/.test(path))
    .some((path) =>
      files.documents(path).some(({ value }) => isObject(value) && isFluxKustomization({ object: value, source: { file: path, line: 1 } })),
    );

/** All Kustomizations, parents first. One with variables from ConfigMaps is read after the others, which may contain those ConfigMaps. */
function discover(
  files: Files,
  entry: FluxKustomization,
  bootstrap: Bootstrap,
  report: (finding: Finding) => void,
  items?: Where["items"],
): FluxKustomization[] {
  const all: FluxKustomization[] = [];
  const seen = new Map<string, FluxKustomization>();
  const queue = [entry];
  const waiting: FluxKustomization[] = [];
  const take = (one: FluxKustomization) => {
    const key = `${one.namespace}/${one.name}`;
    const twin = seen.get(key);
    if (twin) {
      if (twin.parent !== one.parent || twin.source.file !== one.source.file)
        report({
          rule: "identity",
          level: "error",
          ...one.source,
          object: `Kustomization ${key}`,
          message: `is also in ${twin.source.file}:${twin.source.line}`,
          why: "two Kustomizations of one name overwrite each other for ever",
          fix: "rename one",
        });
      return;
    }
    seen.set(key, one);
    all.push(one);
    if (isElsewhere(one, all[0]!)) {
      one.elsewhere = true;
      report({
        rule: "source",
        level: "unknown",
        ...one.source,
        object: `Kustomization ${key}`,
        message: `its source ${one.spec.sourceRef?.kind} ${one.spec.sourceRef?.name} is not this tree`,
        why: "what it applies is not known",
        fix: "nothing, if it is meant so",
      });
      return;
    }
    const { objects, broken } = buildObjects(files, one, report);
    one.objects = objects;
    if (broken) one.broken = true;
    if (one.spec.postBuild?.substituteFrom?.length) waiting.push(one);
    else queue.push(...finish(one, variablesOf(one, [], bootstrap)));
  };
  const finish = (one: FluxKustomization, variables: Variables): FluxKustomization[] => {
    const { built, broken } = substituted(one, items ? renaming(variables, items) : variables, files, report);
    if (!variables.open) one.variables = Object.fromEntries(variables.values);
    one.built = built;
    if (broken) one.broken = true;
    return built.filter(isFluxKustomization).map((child) => childOf(child, one));
  };
  for (;;) {
    const next = queue.shift();
    if (next) take(next);
    else {
      const late = waiting.shift();
      if (!late) return all;
      queue.push(
        ...finish(
          late,
          variablesOf(
            late,
            all.flatMap(({ built }) => built),
            bootstrap,
          ),
        ),
      );
    }
  }
}

/** The same variables, with other names of 1Password items. */
function renaming({ values, open }: Variables, items: ReadonlyMap<string, string>): Variables {
  return { values: new Map([...[...values].filter(([name]) => !name.startsWith("ITEM_")), ...items]), open };
}

const isMap = (value: unknown): value is Record<string, any> => typeof value === "object" && value !== null && !Array.isArray(value); // oxlint-disable-line typescript/no-explicit-any -- the API's shape

function childOf({ object, source }: Located, parent: FluxKustomization): FluxKustomization {
  const { name, namespace = parent.spec.targetNamespace ?? parent.namespace } = object.metadata;
  return {
    name,
    namespace,
    spec: isMap(object.spec) ? object.spec : {},
    source,
    objects: [],
    built: [],
    parent: `${parent.namespace}/${parent.name}`,
  };
}

/** Whether a Kustomization is built from something else than this repository. */
function isElsewhere({ spec, namespace }: FluxKustomization, entry: FluxKustomization): boolean {
  const { kind, name, namespace: at = namespace } = (spec.sourceRef ?? {}) as { kind?: string; name?: string; namespace?: string };
  return kind !== "GitRepository" || name !== entry.spec.sourceRef.name || at !== entry.namespace;
}

/** What a Kustomization substitutes: its own map over ConfigMaps of its namespace; a Secret's values are not known here. */
function variablesOf({ spec, namespace }: FluxKustomization, applied: readonly Located[], { objects }: Bootstrap): Variables {
  const values = new Map<string, string>();
  let open = false;
  const put = (data: object | undefined) => {
    for (const [key, value] of Object.entries(data ?? {})) values.set(key, String(value).replaceAll("\n", ""));
  };
  for (const { kind, name } of (spec.postBuild?.substituteFrom ?? []) as { kind: string; name: string }[]) {
    const is = ({ object }: Located) =>
      isKind(object, kind, "") && object.metadata.name === name && (object.metadata.namespace ?? "") === namespace;
    const found: KubeObject | undefined = [...applied, ...objects].find(is)?.object;
    if (kind === "ConfigMap" && found) put(found.data as object);
    else open = true;
  }
  put(spec.postBuild?.substitute);
  return { values, open };
}
