// The lint's reading of kustomize and of Flux's substitution, against Flux's own module: our tree and every test tree, object by object.
import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { readTree } from "../../scripts/lib/tree/read.ts";
import type { FluxKustomization } from "../../scripts/lib/tree/types.ts";
import { builtTools } from "../tools/find.ts";
import { testTrees, write } from "../unit/lint/txtar.ts";

interface Answer {
  objects: unknown[] | null;
  built: unknown[] | null;
  error?: string;
}

let binary: string;
beforeAll(() => void (binary = builtTools().bin("kustomize-build")));

/** What Flux makes of each Kustomization: its spec as the root's patches left it, its variables as they were found. */
function flux(root: string, all: FluxKustomization[]): Answer[] {
  const input = all.map(({ name, namespace, spec, variables = {} }) =>
    JSON.stringify({
      root,
      kustomization: {
        apiVersion: "kustomize.toolkit.fluxcd.io/v1",
        kind: "Kustomization",
        metadata: { name, namespace },
        spec: { ...spec, postBuild: Object.keys(variables).length > 0 ? { substitute: variables } : undefined },
      },
    }),
  );
  const { stdout, stderr, status } = spawnSync(binary, { input: `${input.join("\n")}\n`, encoding: "utf8", maxBuffer: 2 ** 28 });
  expect(status, stderr).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

/** What the lint read, without what Flux's decryption takes away. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

function compare(root: string): number {
  const tree = readTree({ root });
  const all = tree.kustomizations.filter(({ elsewhere }) => !elsewhere);
  const answers = flux(tree.base, all);
  for (const [index, one] of all.entries()) {
    const { objects, built, error } = answers[index]!;
    const who = `${one.namespace}/${one.name}`;
    expect(Boolean(one.broken), `${who}: ${error ?? "Flux builds it"}; the lint says ${JSON.stringify(tree.findings)}`).toBe(
      error !== undefined,
    );
    if (error !== undefined) continue;
    expect(plain(one.objects.map(({ object }) => object)), who).toEqual(objects ?? []);
    if (one.variables) expect(plain(one.built.map(({ object }) => object)), `${who}, substituted`).toEqual(built ?? []);
  }
  return all.length;
}

it("our tree", () => expect(compare(process.cwd())).toBeGreaterThan(10));

describe("test trees", () => {
  it.each(testTrees().map((tree) => [tree.name, tree] as const))("%s", (_name, tree) => {
    expect(compare(write(tree))).toBeGreaterThan(1);
  });
});
