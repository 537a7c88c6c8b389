// The ConfigMaps that kustomize makes of files.
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { KubeObject } from "./cluster-store.ts";
import { Untaught } from "./tool.ts";

export interface Generator {
  name: string;
  /** `path`, or `key=path`. */
  files?: string[];
}

export interface GeneratorOptions {
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  disableNameSuffixHash?: boolean;
}

/** The ConfigMap of one generator. Names without a hash only: the hash is kustomize's own. */
export function generated(generator: Generator, options: GeneratorOptions = {}, folder: string): KubeObject {
  const { name, files = [], ...more } = generator;
  const { annotations, labels, disableNameSuffixHash, ...others } = options;
  const unknown = [...Object.keys(more), ...Object.keys(others)];
  if (unknown.length > 0) throw new Untaught(`${unknown.join(", ")} of a configMapGenerator`);
  if (disableNameSuffixHash !== true) throw new Untaught("a configMapGenerator without disableNameSuffixHash");
  const data = Object.fromEntries(
    files.map((file) => {
      const [key, path] = file.includes("=") ? (file.split("=") as [string, string]) : [basename(file), file];
      return [key, readFileSync(resolve(folder, path), "utf8")];
    }),
  );
  const metadata = { name, ...(annotations && { annotations }), ...(labels && { labels }) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data };
}
