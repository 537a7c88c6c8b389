// Every rule on trees that are broken on purpose: exactly these lines, and nothing else of that rule.
import { describe, expect, it } from "vitest";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import { testCluster } from "../test-cluster.ts";
import { testTrees, type TestTree, write } from "./txtar.ts";

const KUBERNETES = "v1.36.5";

/** The findings of the rule that a tree's folder is called after, as its `expected` part has them. */
async function findingsOf(tree: TestTree): Promise<string> {
  const home = tree.files["talos/cluster.yaml"] ? { kubernetes: KUBERNETES, cluster: testCluster() } : { kubernetes: KUBERNETES };
  const { findings } = await lint({ root: write(tree) }, home);
  const own = findings.filter(({ rule }) => rule === tree.name.split("/")[0]);
  return own
    .map(({ level, file, line, object, message }) => `${level} ${file}:${line}${object ? ` ${object}` : ""}: ${message}\n`)
    .join("");
}

describe("test trees", () => {
  it.each(testTrees().map((tree) => [tree.name, tree] as const))("%s", async (_name, tree) => {
    if (tree.expected !== undefined) expect(await findingsOf(tree)).toBe(tree.expected);
    else expect(tree.name, "a tree that only kustomize's conformance test reads").toMatch(/^kustomize\//);
  });
});
