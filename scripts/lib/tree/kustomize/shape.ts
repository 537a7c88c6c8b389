// The shape of a kustomization file: lists where lists belong, words and maps in them. What is not so is told and left out, so that the rest can be read.
import type { KustomizationFile } from "./file.ts";

const WORDS = ["resources", "bases", "components", "patchesStrategicMerge", "configurations"];
const MAPS = ["patches", "patchesJson6902", "configMapGenerator", "secretGenerator", "labels", "images"];
const MAP = ["generatorOptions", "commonLabels", "commonAnnotations"];

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The content without what has the wrong shape; `fail` hears of each, with the path to it. */
export function inShape(content: unknown, fail: (path: (string | number)[], message: string) => void): KustomizationFile {
  if (content === undefined) return {};
  if (!isMap(content)) return (fail([], "is no map of fields"), {});
  const result: Record<string, unknown> = { ...content };
  const drop = (key: string, message: string) => {
    delete result[key];
    fail([key], message);
  };
  for (const [keys, fits, wanted] of [
    [WORDS, (one: unknown) => typeof one === "string", "a text"],
    [MAPS, isMap, "a map"],
  ] as const)
    for (const key of keys) {
      const list = result[key];
      if (list === undefined || list === null) delete result[key];
      else if (!Array.isArray(list)) drop(key, `${key} must be a list`);
      else
        result[key] = list.filter((one, index) => {
          if (fits(one)) return true;
          fail([key, index], `${key}[${index}] must be ${wanted}`);
          return false;
        });
    }
  for (const key of MAP) if (result[key] !== undefined && result[key] !== null && !isMap(result[key])) drop(key, `${key} must be a map`);
  if (result.namespace !== undefined && result.namespace !== null && typeof result.namespace !== "string")
    drop("namespace", "namespace must be a text");
  return result as KustomizationFile;
}
