// Flux Kustomizations: which folder each builds, with what patches and variables, and which further ones it applies.
import { join, normalize } from "node:path";
import type { Files } from "./files.ts";
import { build } from "./kustomize/build.ts";
import { fileOf, type KustomizationFile, NAMES, readKustomization } from "./kustomize/file.ts";
import { loadFile } from "./kustomize/load.ts";
import type { Resource } from "./kustomize/resource.ts";
import { isExempt, substitute } from "./substitute/substitute.ts";
import type { Finding, FluxKustomization, Located } from "./types.ts";
import { inWords } from "./object.ts";

type Report = (finding: Finding) => void;

/** What `spec.postBuild` of a Kustomization knows. */
export interface Variables {
  values: Map<string, string>;
  /** There are Secrets or ConfigMaps among its sources that nobody can read offline: a name that is not known may be one of theirs. */
  open: boolean;
}

/** `kustomize build` of a Kustomization's path, with what Flux adds to it. */
export function buildObjects(files: Files, one: FluxKustomization, report: Report): { objects: Located[]; broken: boolean } {
  const { spec, source } = one;
  if (typeof spec.sourceRef !== "object" || spec.sourceRef === null) return { objects: [], broken: true }; // the API server refuses it: its schema says why
  const folder = normalize(String(spec.path ?? "."));
  const fail = (message: string, fix: string) => {
    report({
      rule: "kustomize",
      level: "error",
      ...at(source),
      object: `Kustomization ${one.namespace}/${one.name}`,
      message,
      why: "nothing of this Kustomization is applied",
      fix,
    });
    return { objects: [], broken: true };
  };
  if (files.is(folder) !== "folder") return fail(`its path ${folder} is not a folder`, "fix spec.path: it starts at the repository's root");
  const path = fileOf(files, folder);
  if (!path && NAMES.some((name) => files.is(join(folder, name)) === "file"))
    return fail(`${folder} has two kustomization files`, "keep one");
  let stray = false;
  const own = path
    ? readKustomization(files, path)
    : generated(files, folder, (finding) => {
        stray = true;
        report(finding);
      });
  const { resources, broken } = build(files, folder, { path: path ?? join(folder, NAMES[0]!), content: overlaid(own, spec) }, report);
  return { objects: resources.map(located), broken: broken || stray };
}

const at = ({ file, line }: FluxKustomization["source"]) => ({ file, line });

const located = ({ object, source, encrypted }: Resource): Located => {
  if (!encrypted) return { object, source };
  const { sops: _, ...decrypted } = object;
  return { object: decrypted as Located["object"], source, encrypted };
};

/** What Flux writes into the kustomization file before it builds (fluxcd/pkg/kustomize, generator). */
// oxlint-disable-next-line typescript/no-explicit-any -- the API's shape
function overlaid(own: KustomizationFile | undefined, spec: any): KustomizationFile | undefined {
  if (own !== undefined && (typeof own !== "object" || own === null || Array.isArray(own))) return own; // build() says what is wrong with it
  const result: KustomizationFile = { ...own };
  if (spec.targetNamespace) result.namespace = spec.targetNamespace;
  if (spec.patches) result.patches = [...(own?.patches ?? []), ...spec.patches];
  if (spec.components) result.components = [...(own?.components ?? []), ...spec.components];
  if (spec.images) result.images = mergedImages(own?.images ?? [], spec.images);
  for (const key of ["namePrefix", "nameSuffix"]) if (spec[key]) (result as Record<string, unknown>)[key] = spec[key];
  return result;
}

type Images = NonNullable<KustomizationFile["images"]>;
function mergedImages(own: Images, added: Images): Images {
  const result = own.map((image) => ({ ...image }));
  for (const image of added) {
    const same = result.find(({ name }) => name === image.name);
    if (!same) result.push({ ...image });
    else if (image.newTag || image.digest) Object.assign(same, { newTag: undefined, digest: undefined }, image);
    else Object.assign(same, image);
  }
  return result;
}

/** The kustomization file that Flux makes for a folder without one: every manifest below it, and every folder that has its own. */
function generated(files: Files, folder: string, report: Report): KustomizationFile {
  const resources: string[] = [];
  const walk = (path: string) => {
    for (const name of files.names(path)) {
      const one = join(path, name);
      const shown = `./${one.slice(folder.length + 1)}`;
      if (files.is(one) === "folder") {
        if (NAMES.some((file) => files.is(join(one, file)) === "file")) resources.push(shown);
        else walk(one);
      } else if (/\.ya?ml$/.test(name) && !/^\.(sops|flux|goreleaser)\.ya?ml$/.test(name)) {
        let wrong = false;
        const fail = (source: { file: string; line: number }, message: string): undefined => {
          wrong = true;
          report({
            rule: "stray",
            level: "error",
            file: source.file,
            line: source.line,
            message,
            why: "Flux takes every YAML file of a folder without kustomization.yaml: one that is no manifest fails the build",
            fix: "move it out, or below resources/ with a kustomization.yaml that does not list it",
          });
        };
        loadFile({ files, fail }, one);
        if (!wrong) resources.push(shown);
      }
    }
  };
  walk(folder);
  return { resources };
}

/** The objects as they are applied, with every variable's value; one that has none is an error, as in the cluster. */
export function substituted(
  one: FluxKustomization,
  { values, open }: Variables,
  files: Files,
  report: Report,
): { built: Located[]; broken: boolean } {
  let broken = false;
  if (values.size === 0 && !open) return { built: one.objects, broken };
  const built = one.objects.map((located) => {
    if (isExempt(located.object)) return located;
    const guessed = new Set<string>();
    const lookup = (name: string) => {
      const value = values.get(name);
      if (value !== undefined || !open) return value;
      guessed.add(name);
      return name.toLowerCase().replaceAll("_", "-");
    };
    const { value, faults } = substitute(located.object, lookup);
    for (const { path, message } of faults) {
      broken = true;
      report({
        rule: "substitution",
        level: "error",
        file: located.source.file,
        line: files.lineOf(located.source.file, located.source.document ?? 0, path),
        object: inWords(located.object),
        message: `${path.join(".")}: ${message}`,
        why: `the build of Kustomization ${one.namespace}/${one.name} fails as a whole: nothing of it is applied`,
        fix: "set it under postBuild.substitute, give it a default (${X:=y}), write $${X} for a literal, or annotate the object kustomize.toolkit.fluxcd.io/substitute: disabled",
      });
    }
    return value === located.object ? located : { ...located, object: value, ...(guessed.size > 0 && { guessed: [...guessed] }) };
  });
  return { built, broken };
}
