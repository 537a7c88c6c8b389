// The ConfigMaps that kustomize makes of files.
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Untaught } from "../tool.ts";
import type { KubeObject } from "../cluster/state.ts";

export interface Generator {
  name: string;
  /** `path`, or `key=path`. */
  files?: string[];
  /** Over the common ones. */
  options?: GeneratorOptions;
}

export interface GeneratorOptions {
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  disableNameSuffixHash?: boolean;
}

/** The ConfigMap of one generator. Names without a hash only: the hash is kustomize's own. */
export function generated(generator: Generator, options: GeneratorOptions = {}, folder: string): KubeObject {
  const { name, files = [], options: own = {}, ...more } = generator;
  const { disableNameSuffixHash, annotations: _, labels: __, ...others } = { ...options, ...own };
  const annotations = { ...options.annotations, ...own.annotations };
  const labels = { ...options.labels, ...own.labels };
  const unknown = [...Object.keys(more), ...Object.keys(others)];
  if (unknown.length > 0) throw new Untaught(`${unknown.join(", ")} of a configMapGenerator`);
  if (disableNameSuffixHash !== true) throw new Untaught("a configMapGenerator without disableNameSuffixHash");
  const data = Object.fromEntries(
    files.map((file) => {
      const [key, path] = file.includes("=") ? (file.split("=") as [string, string]) : [basename(file), file];
      return [key, readFileSync(resolve(folder, path), "utf8")];
    }),
  );
  const some = (map: object) => Object.keys(map).length > 0;
  const metadata = { name, ...(some(annotations) && { annotations }), ...(some(labels) && { labels }) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data };
}
