// `bootstrap` typed on a cluster that lives: it installs what is missing and leaves alone what is there.
import { describe, expect, test } from "vitest";
import { configs, seeConfigs } from "../../../scripts/bootstrap/configs.ts";
import type { Stage } from "../../../scripts/lib/talos/node.ts";
import type { Prospect } from "../../../scripts/talos/apply.ts";
import { testCluster } from "../test-cluster.ts";

const NODES = testCluster().nodes;
const RUNNING: Stage = { stage: "running", ready: true, unmet: [] };
const node = (index: number, change: Partial<Prospect> = {}): Prospect => ({
  node: NODES[index]!,
  stage: RUNNING,
  config: "",
  changes: [],
  ...change,
});
const CHANGE = { document: "v1alpha1", path: "machine.files.0.content", before: '"a"', after: '"b"' };
const fresh = (index: number) => {
  const { changes: _changes, ...rest } = node(index, { stage: { stage: "maintenance" } });
  return rest;
};

describe("configs", () => {
  test("all as rendered is done", () =>
    expect(seeConfigs([node(0), node(1), node(2)])).toEqual({ state: "done", saw: "3 of 3 nodes have a config" }));
  test("a node that runs with another config is named and left alone: its change may reboot it, and not all at once", () =>
    expect(seeConfigs([node(0, { changes: [CHANGE] }), node(1), node(2)])).toEqual({
      state: "done",
      saw: "3 of 3 nodes have a config, k8s-0 another one than rendered (task talos:diff)",
    }));
  test("a node that booted the ISO is installed", () => {
    const seen = seeConfigs([node(0), node(1), fresh(2)]);
    expect(seen).toMatchObject({ state: "partly", saw: "2 of 3 nodes have a config" });
    expect(seen.todo).toHaveLength(1);
    expect(seen.todo![0]).toContain("k8s-2 (192.168.122.12)");
  });
  test("a node that does not answer is unknown, and the plan says what may happen to it", () =>
    expect(seeConfigs([node(0), node(1), { ...fresh(2), stage: { stage: "unreachable", said: "i/o timeout" } }])).toMatchObject({
      state: "unknown",
      todo: ["k8s-2 (192.168.122.12): wait until it answers; if it booted the ISO, installs Talos over its system disk"],
    }));
  test("says that it can destroy", () => expect(configs.destroys).toContain("system disk"));
});
