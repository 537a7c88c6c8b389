// `bootstrap` typed on a cluster that lives: it installs what is missing and leaves alone what is there.
import { describe, expect, test } from "vitest";
import { configs, seeConfigs } from "../../../scripts/bootstrap/configs.ts";
import { refuseUnplanned } from "../../../scripts/lib/run/sub.ts";
import type { Machine } from "../../../scripts/lib/talos/identity.ts";
import { installStep } from "../../../scripts/lib/talos/install.ts";
import type { NodeStage } from "../../../scripts/lib/talos/node.ts";
import type { NewNode, NodeConfig } from "../../../scripts/lib/talos/node-config.ts";
import { record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";

const NODES = testCluster().nodes;
const RUNNING: NodeStage = { stage: "running", ready: true, unmet: [] };
const node = (index: number, change: Partial<NodeConfig> = {}): NodeConfig => ({
  node: NODES[index]!,
  stage: RUNNING,
  config: "",
  changes: [],
  ...change,
});
const CHANGE = { document: "v1alpha1", path: "machine.files.0.content", before: '"a"', after: '"b"' };
const disks = (found?: string): Machine["disks"] => [{ device: "/dev/vda", role: "system", holds: found ? { found } : { blank: true } }];
const fresh = (index: number, found?: string): NodeConfig => {
  const { changes: _changes, ...rest } = node(index, { stage: { stage: "maintenance" } });
  return { ...rest, machine: { fingerprint: `print-${index}`, macs: { got: [] }, disks: disks(found) } };
};
const silent = (index: number): NodeConfig => {
  const { machine: _machine, ...rest } = fresh(index);
  return { ...rest, stage: { stage: "unreachable", said: "i/o timeout" } };
};

describe("configs", () => {
  test("all as rendered is done", () =>
    expect(seeConfigs([node(0), node(1), node(2)])).toEqual({ state: "done", saw: "3 of 3 nodes have a config" }));
  test("a node that runs with another config is named and left alone: its change may reboot it, and not all at once", () =>
    expect(seeConfigs([node(0, { changes: [CHANGE] }), node(1), node(2)])).toEqual({
      state: "done",
      saw: "3 of 3 nodes have a config, k8s-0 another one than rendered (task talos:diff)",
    }));
  test("a node that runs and would refuse the rendered config, as before an upgrade of Talos, is left alone too", () =>
    expect(seeConfigs([node(0, { changes: [CHANGE], dryRun: { refuse: "not registered", older: "v1.13.9" } }), node(1), node(2)])).toEqual({
      state: "done",
      saw: "3 of 3 nodes have a config, k8s-0 another one than rendered (task talos:diff)",
    }));
  test("a node that booted the ISO is installed", () => {
    const seen = seeConfigs([node(0), node(1), fresh(2)]);
    expect(seen).toMatchObject({ state: "partly", saw: "2 of 3 nodes have a config" });
    expect(seen.todo).toEqual([
      "k8s-2 (192.168.122.12), maintenance: installs Talos on its system disk, and reboots",
      "  certificate print-2, which its console shows too",
      "  system disk /dev/vda: blank",
    ]);
    expect(seen.destroys).toBeUndefined();
  });
  test("a node whose disk holds data needs its name", () =>
    expect(seeConfigs([fresh(0, "xfs"), fresh(1), fresh(2, "bluestore")]).destroys).toEqual({
      what: ["k8s-0: system disk /dev/vda: xfs", "k8s-2: system disk /dev/vda: bluestore"],
      name: "k8s-0,k8s-2",
    }));
  test("a node at whose address a living node may be, as nobody can be asked, needs its name too", () => {
    const unasked = { why: "Kubernetes: no route to host", cluster: "$KUBECONFIG is this cluster's" };
    expect(seeConfigs([{ ...fresh(0), unasked }, { ...fresh(1), unasked }, node(2)]).destroys?.name).toBe("k8s-0,k8s-1");
  });
  test("a node that does not answer raises no question about the others, since nothing is installed before it answers", () => {
    const unasked = { why: "k8s-2: i/o timeout", silent: ["k8s-2"] };
    expect(seeConfigs([{ ...fresh(0), unasked }, fresh(1), silent(2)])).toMatchObject({ state: "unknown" });
    expect(seeConfigs([{ ...fresh(0), unasked }, fresh(1), silent(2)]).destroys).toBeUndefined();
    expect(seeConfigs([{ ...fresh(0), unasked }, fresh(1)]).destroys?.name).toBe("k8s-0");
  });
  test("a node that does not answer is unknown, and the plan says what may happen to it", () =>
    expect(seeConfigs([node(0), node(1), silent(2)])).toMatchObject({
      state: "unknown",
      todo: ["k8s-2 (192.168.122.12): wait until it answers; if it booted the ISO and its disks are blank, installs Talos"],
      steps: [installStep("k8s-2")],
    }));
  describe("after the plan", () => {
    const steps = (...nodeConfigs: NodeConfig[]) => seeConfigs(nodeConfigs).steps!;
    const refused = (planned: NodeConfig[], now: NodeConfig[]) => () => refuseUnplanned(configs, steps(...planned), steps(...now));
    test("a node that answers now, with blank disks, is installed", () =>
      expect(refused([node(0), node(1), silent(2)], [node(0), node(1), fresh(2)])).not.toThrow());
    test("a node that answers now, and holds data, is not: its name was never typed", () =>
      expect(refused([node(0), node(1), silent(2)], [node(0), node(1), fresh(2, "xfs")])).toThrow(
        "could not continue bootstrap:configs: the plan did not name this\n  said: install over the data on k8s-2\n  now:  none of it was done\n  next: task bootstrap:configs shows it and asks",
      ));
    test("a node that answers now, and whose cluster can no longer be asked, is not: its name was never typed", () => {
      const unasked = { why: "k8s-0: i/o timeout", cluster: "k8s-0 has etcd's data" };
      expect(refused([node(0), node(1), silent(2)], [node(0), node(1), { ...fresh(2), unasked }])).toThrow(
        "said: install without an answer of the cluster on k8s-2",
      );
    });
    test("a node that ran then and waits for a config now is not installed", () =>
      expect(refused([node(0), node(1), fresh(2)], [node(0), fresh(1), fresh(2)])).toThrow("said: install Talos on k8s-1"));
    test("nothing is sent when another machine answers than the plan showed", async () => {
      const { context, commands } = await record();
      const planned = steps({ ...fresh(2), machine: { ...(fresh(2) as NewNode).machine, fingerprint: "shown" } });
      await expect(configs.act(context, seeConfigs([fresh(2)]), planned)).rejects.toThrow(
        "could not install Talos on the nodes that booted the ISO\n  said: the plan showed k8s-2, certificate shown; now it is print-2\n  now:  nothing was changed",
      );
      expect(commands).toEqual([]);
    });
  });
  test("says that it can destroy", () => expect(configs.destroys).toContain("disks"));
});
