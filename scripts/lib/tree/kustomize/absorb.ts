// Generated ConfigMaps and Secrets among the other resources: new ones are added, others replace or add to what they are called after.
import type { Source } from "../types.ts";
import type { Builder } from "./builder.ts";
import type { KustomizationFile } from "./file.ts";
import { generate } from "./generators.ts";
import { resourceOf } from "./load.ts";
import { idOf, idsOf, type Resource, sameId, showId } from "./resource.ts";

/** Where something stands in the kustomization file, by the keys to it. */
export type LineOf = (...keys: (string | number)[]) => Source;

/** Runs the generators of one kustomization file. */
export function runGenerators(builder: Builder, folder: string, content: KustomizationFile, resources: Resource[], lineOf: LineOf): void {
  for (const [kind, key] of [
    ["ConfigMap", "configMapGenerator"],
    ["Secret", "secretGenerator"],
  ] as const)
    for (const [index, spec] of (content[key] ?? []).entries()) {
      const at = lineOf(key, index);
      try {
        const object = generate(kind, spec, content.generatorOptions ?? {}, builder.files, folder);
        const hashed = !(spec.options?.disableNameSuffixHash || content.generatorOptions?.disableNameSuffixHash);
        absorb(resources, { ...resourceOf(object, at), hashed, behavior: spec.behavior ?? "create" });
      } catch (error) {
        builder.fail(at, (error as Error).message, "fix the generator");
      }
    }
}

/** Adds what was generated, or lets it replace or add to what it is called after. */
function absorb(resources: Resource[], made: Resource): void {
  const id = idOf(made.object);
  const old = resources.find((one) => idsOf(one).some((before) => sameId(before, id)));
  if (!old && made.behavior !== "create") throw new Error(`there is no ${showId(id)} to ${made.behavior}`);
  if (!old) return void resources.push(made);
  if (made.behavior === "create") throw new Error(`${showId(id)} is there already`);
  const { metadata } = old.object;
  const keep = (key: "labels" | "annotations") => {
    const both = { ...metadata[key], ...made.object.metadata[key] };
    return Object.keys(both).length > 0 ? { [key]: both } : {};
  };
  made.object.metadata = { ...metadata, ...keep("labels"), ...keep("annotations") };
  if (made.behavior === "merge")
    for (const key of ["data", "binaryData"]) {
      const both = { ...(old.object[key] as object), ...(made.object[key] as object) };
      if (Object.keys(both).length > 0) made.object[key] = both;
    }
  resources[resources.indexOf(old)] = { ...made, before: old.before, hashed: made.hashed || old.hashed };
}
