// `kustomize build` of a folder, as Flux runs it: resources, generators, components, then the transformers in kustomize's order.
// What this does not know it says ("unknown") and never guesses; a test compares every tree with Flux's own module.
import { join, normalize } from "node:path";
import type { Files } from "../files.ts";
import type { Finding, Source } from "../types.ts";
import { type LineOf, runGenerators } from "./absorb.ts";
import type { Builder } from "./builder.ts";
import { fillEmpty } from "./fields.ts";
import { fileOf, type KustomizationFile, readKustomization } from "./file.ts";
import { loadFile } from "./load.ts";
import { applyPatch, type Patch } from "./patches.ts";
import { addHashes, fixReferences, type NameReference } from "./references.ts";
import { idOf, type Resource, sameId, showId } from "./resource.ts";
import { inShape } from "./shape.ts";
import { addAnnotations, addCommonLabels, addLabels, isLocal, setImage, setNamespace } from "./transformers.ts";

const READ = new Set([
  ..."apiVersion kind metadata resources bases components namespace patches patchesStrategicMerge patchesJson6902".split(" "),
  ..."configMapGenerator secretGenerator generatorOptions labels commonLabels commonAnnotations images configurations sortOptions".split(
    " ",
  ),
]);
const KNOWN = new Set(
  "buildMetadata crds generators helmCharts helmChartInflationGenerator helmGlobals imageTags namePrefix nameSuffix openapi replacements replicas transformers validators vars".split(
    " ",
  ),
);

export interface Build {
  resources: Resource[];
  /** The real build fails: nothing of it reaches the cluster. */
  broken: boolean;
}

/** Builds a folder; `overlay` is what a Flux Kustomization adds to its kustomization file (or to a generated one). */
export function build(
  files: Files,
  folder: string,
  file: { path: string; content: KustomizationFile | undefined },
  report: (finding: Finding) => void,
): Build {
  let broken = false;
  const say =
    (level: Finding["level"]) =>
    (at: Source, message: string, fix: string): undefined => {
      if (level === "error") broken = true;
      const why =
        level === "error"
          ? "the build fails as a whole: nothing of this Kustomization is applied"
          : "what it makes of the objects is not known";
      report({ rule: "kustomize", level, file: at.file, line: at.line, message, why, fix });
    };
  const builder: Builder = { files, fail: say("error"), unknown: say("unknown"), spoil: () => void (broken = true), references: [] };
  if (files.is(file.path) === "file" && files.isFaulty(file.path)) broken = true;
  const resources = accumulate(builder, folder, file.path, file.content, [], [normalize(folder)]);
  addHashes(resources);
  fixReferences(resources, builder.references);
  for (const { object } of resources) fillEmpty(object);
  return { resources: resources.filter(({ object }) => !isLocal(object)), broken };
}

function accumulate(
  builder: Builder,
  folder: string,
  path: string,
  raw: KustomizationFile | undefined,
  resources: Resource[],
  stack: string[],
): Resource[] {
  const at: Source = { file: path, line: 1, document: 0 };
  const lineOf = (...keys: (string | number)[]): Source => ({
    ...at,
    get line() {
      return builder.files.lineOf(path, 0, keys); // looked up only when something is wrong there
    },
  });
  const content = inShape(raw, (keys, message) => builder.fail(lineOf(...keys), message, "fix it: kustomize ignores the whole file"));
  for (const key of Object.keys(content)) {
    if (READ.has(key)) continue;
    if (KNOWN.has(key)) builder.unknown(lineOf(key), `${key} is not read`, "say it with patches, components or generators");
    else
      builder.fail(
        lineOf(key),
        `kustomize knows no ${key}`,
        "fix the key: kustomize refuses it in a nested file and ignores it in Flux's own",
      );
  }
  for (const [index, one] of [...(content.resources ?? []), ...(content.bases ?? [])].entries())
    addResource(builder, folder, String(one), lineOf("resources", index), resources, stack);
  readConfigurations(builder, folder, content.configurations ?? [], lineOf);
  runGenerators(builder, folder, content, resources, lineOf);
  for (const [index, one] of (content.components ?? []).entries()) {
    const sub = join(folder, one);
    const file = subFile(builder, sub, lineOf("components", index), stack);
    if (!file) continue;
    if (file.content?.kind !== "Component") builder.fail(lineOf("components", index), `${one} is no Component`, "list it under resources");
    else accumulate(builder, sub, file.path, file.content, resources, [...stack, normalize(sub)]);
  }
  transform(builder, folder, content, resources, lineOf);
  return resources;
}

function addResource(builder: Builder, folder: string, name: string, at: Source, resources: Resource[], stack: string[]): void {
  const path = join(folder, name);
  if (/^(https?|ssh|git|file):|^git@|^git::|^github\.com[/:]/.test(name))
    return builder.unknown(at, `${name} lies elsewhere`, "keep a copy in the tree: a first install must not need another host");
  const kind = builder.files.is(path);
  if (kind === undefined) return builder.fail(at, `${name} does not exist`, "put it there, or take it off the list");
  if (kind === "file" && builder.files.isFaulty(path)) builder.spoil();
  if (kind === "file") return loadFile(builder, path).forEach((one) => append(builder, resources, one, at));
  const file = subFile(builder, path, at, stack);
  if (!file) return;
  if (file.content?.kind === "Component") return builder.fail(at, `${name} is a Component`, "list it under components");
  for (const one of accumulate(builder, path, file.path, file.content, [], [...stack, normalize(path)]))
    append(builder, resources, one, at);
}

function subFile(
  builder: Builder,
  folder: string,
  at: Source,
  stack: string[],
): { path: string; content: KustomizationFile | undefined } | undefined {
  if (stack.includes(normalize(folder))) return builder.fail(at, `${folder} includes itself`, "take the circle out");
  const path = builder.files.is(folder) === "folder" ? fileOf(builder.files, folder) : undefined;
  if (!path)
    return builder.fail(
      at,
      `${folder} has ${builder.files.is(folder) ? "no kustomization file, or two" : "no folder"}`,
      "add a kustomization.yaml, or fix the path",
    );
  if (builder.files.isFaulty(path)) builder.spoil();
  return { path, content: readKustomization(builder.files, path) };
}

function append(builder: Builder, resources: Resource[], resource: Resource, at: Source): void {
  const id = idOf(resource.object);
  const twin = resources.find(({ object }) => sameId(idOf(object), id));
  if (!twin) return void resources.push(resource);
  builder.fail(
    at,
    `${showId(id)} stands twice: ${twin.source.file}:${twin.source.line} and ${resource.source.file}:${resource.source.line}`,
    "keep one",
  );
}

function readConfigurations(builder: Builder, folder: string, paths: string[], lineOf: LineOf): void {
  for (const [index, path] of paths.entries()) {
    const { nameReference = [], ...others } = (readKustomization(builder.files, join(folder, path)) ?? {}) as {
      nameReference?: { kind: string; group?: string; fieldSpecs?: NameReference["fields"] }[];
    };
    builder.references.push(...nameReference.map(({ kind, group = "", fieldSpecs = [] }) => ({ kind, group, fields: fieldSpecs })));
    for (const key of Object.keys(others))
      builder.unknown(lineOf("configurations", index), `${path}: ${key} is not read`, "say it with patches");
  }
}

/** kustomize's own order: patches, namespace, labels, annotations, the older JSON patches, images. */
function transform(builder: Builder, folder: string, content: KustomizationFile, resources: Resource[], lineOf: LineOf): void {
  const patch = (one: Patch, ...keys: (string | number)[]) => applyPatch(builder, folder, resources, one, lineOf(...keys));
  for (const [index, text] of (content.patchesStrategicMerge ?? []).entries())
    patch(/\n/.test(text) ? { patch: text } : { path: text }, "patchesStrategicMerge", index);
  for (const [index, one] of (content.patches ?? []).entries()) patch(one, "patches", index);
  if (content.namespace) setNamespace(resources, content.namespace);
  for (const label of content.labels ?? []) addLabels(resources, label);
  if (content.commonLabels) addCommonLabels(resources, content.commonLabels);
  if (content.commonAnnotations) addAnnotations(resources, content.commonAnnotations);
  for (const [index, one] of (content.patchesJson6902 ?? []).entries()) patch(one, "patchesJson6902", index);
  for (const image of content.images ?? []) setImage(resources, image);
  const seen = new Map<string, Resource>();
  for (const resource of resources) {
    const id = showId(idOf(resource.object));
    const twin = seen.get(id);
    seen.set(id, resource);
    if (twin && content.namespace) builder.fail(lineOf("namespace"), `the namespace makes two of one identity: ${id}`, "keep one");
  }
}
