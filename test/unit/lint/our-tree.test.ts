// The repository's own tree: it can start, and nothing in it needs an exception that nobody wrote down.
import { beforeAll, expect, it } from "vitest";
import { loadCluster } from "../../../scripts/lib/cluster/load.ts";
import { type Lint, lint } from "../../../scripts/lib/lint/lint.ts";
import { loadVersions } from "../../../scripts/lib/cluster/versions.ts";

let ours: Lint;
beforeAll(async () => {
  const root = process.cwd();
  ours = await lint({ root }, { kubernetes: loadVersions(root, {}).KUBERNETES_VERSION, cluster: loadCluster(root, () => {}) });
}, 60_000);

it("has no error", () => expect(ours.findings.filter(({ level }) => level === "error")).toEqual([]));
it("is read whole: every Kustomization builds, and every one becomes ready", () => {
  expect(ours.input.tree.kustomizations.filter(({ broken, elsewhere }) => broken || elsewhere)).toEqual([]);
  expect(ours.input.tree.kustomizations.length).toBeGreaterThan(40);
  expect(ours.convergence!.waves.flatMap(({ kustomizations }) => kustomizations)).toHaveLength(ours.input.tree.kustomizations.length);
});
