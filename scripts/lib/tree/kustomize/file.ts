// Kustomization files: what they are called, where one is, what it may say.
import { join } from "node:path";
import type { Files } from "../files.ts";
import type { Generator, GeneratorOptions } from "./generators.ts";
import type { Patch } from "./patches.ts";
import type { Image, Label } from "./transformers.ts";

export const NAMES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** A kustomization file, as far as this reads it. */
export interface KustomizationFile {
  kind?: string;
  resources?: string[];
  bases?: string[];
  components?: string[];
  namespace?: string;
  patches?: Patch[];
  patchesStrategicMerge?: string[];
  patchesJson6902?: Patch[];
  configMapGenerator?: Generator[];
  secretGenerator?: Generator[];
  generatorOptions?: GeneratorOptions;
  labels?: Label[];
  commonLabels?: Record<string, string>;
  commonAnnotations?: Record<string, string>;
  images?: Image[];
  configurations?: string[];
}

/** The kustomization file of a folder; undefined when it has none or more than one. */
export function fileOf(files: Files, folder: string): string | undefined {
  const found = NAMES.map((name) => join(folder, name)).filter((path) => files.is(path) === "file");
  return found.length === 1 ? found[0] : undefined;
}

/** The first document of a kustomization file; an empty one when it is no YAML (which is a finding already). */
export const readKustomization = (files: Files, path: string) => files.documents(path)[0]?.value as KustomizationFile | undefined;
