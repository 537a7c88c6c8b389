// Measures the lint: our tree, a thousand applications, and its schema stage against kubeconform's on the same objects.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readDocuments } from "../../scripts/lib/tree/parse.ts";
import { readTree } from "../../scripts/lib/tree/read.ts";
import { openValidators } from "../../scripts/lib/lint/schemas/validators.ts";
import type { KubeObject } from "../../scripts/lib/tree/types.ts";
import { builtTools } from "../tools/find.ts";
import { writeLargeTree } from "./large-tree.ts";

const SCHEMAS = join(import.meta.dirname, "../../scripts/lint/schemas");
const SCRIPT = join(import.meta.dirname, "../../scripts/lint/kubernetes.ts");

/** Milliseconds of one run as a person starts it. Findings are not a failure of the lint. */
function lintOnce(project: string, root: string, state: string): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", SCRIPT, "--root", root], {
    cwd: project,
    env: { ...process.env, HOME_OPS_STATE: state },
    encoding: "utf8",
  });
  if (status !== 0 && !stderr.includes("could not show that this tree"))
    throw new Error(`lint:kubernetes ended with ${status}:\n${stderr.slice(-2000)}`);
  return performance.now() - began;
}

/** Milliseconds of each run on our tree. */
export const lintOurTree = (project: string, scratch: string, times: number): number[] =>
  Array.from({ length: times }, () => lintOnce(project, project, join(scratch, "state")));

/** Milliseconds for a generated tree of each size. */
export function lintLargeTrees(project: string, scratch: string, sizes: readonly number[]): number[] {
  return sizes.map((size) => {
    const root = join(scratch, `large-${size}`);
    writeLargeTree(root, size);
    return lintOnce(project, root, join(scratch, `state-${size}`));
  });
}

/** Validates every object of our tree, each read from a file of its own: with our validators, and with kubeconform. */
export function schemaStage(
  project: string,
  scratch: string,
  kubernetes: string,
  times: number,
): { ours: number[]; kubeconform?: number[]; objects: number } {
  const { kustomizations } = readTree({ root: project });
  const objects = kustomizations.flatMap(({ built }) => built.map(({ object }) => object));
  const folder = join(scratch, "objects");
  mkdirSync(folder);
  for (const [index, object] of objects.entries()) writeFileSync(join(folder, `${index}.yaml`), JSON.stringify(object));
  const measure = (work: () => void) => {
    const began = performance.now();
    work();
    return performance.now() - began;
  };
  const ours = Array.from({ length: times }, () =>
    measure(() => {
      const validators = openValidators(kubernetes);
      for (const name of readdirSync(folder))
        for (const { value } of readDocuments(readFileSync(join(folder, name), "utf8")).documents) validators.faults(value as KubeObject);
    }),
  );
  const binary = kubeconformHere();
  if (binary === undefined) return { ours, objects: objects.length };
  const words = [
    "-strict",
    "-ignore-missing-schemas",
    "-schema-location",
    `${SCHEMAS}/crds/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`,
  ];
  words.push(
    "-schema-location",
    `${SCHEMAS}/kubernetes/${kubernetes}/{{.ResourceKind}}{{if ne .Group .ResourceAPIVersion}}_{{.Group}}{{end}}_{{.ResourceAPIVersion}}.json`,
    folder,
  );
  const kubeconform = Array.from({ length: times }, () =>
    measure(() => {
      const { status, stdout } = spawnSync(binary, words, { encoding: "utf8" });
      if (status !== 0) throw new Error(`kubeconform ended with ${status}:\n${stdout.slice(0, 2000)}`);
    }),
  );
  return { ours, kubeconform, objects: objects.length };
}

function kubeconformHere(): string | undefined {
  try {
    return builtTools().bin("kubeconform");
  } catch {
    return undefined; // `npm run tools:build` makes it; the other figures need no tool
  }
}
