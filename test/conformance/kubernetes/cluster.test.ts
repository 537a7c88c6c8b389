// The simulated cluster behind a real API server: nodes, workloads and Flux come up by the same controllers, and what is written there is in the world.
import { afterEach, expect, test } from "vitest";
import { entryAt } from "../../simulators/world/cluster/store.ts";
import { nodeReady } from "../../simulators/world/cluster/cluster.ts";
import { type RealCluster, realCluster, withoutWarnings } from "./real-cluster.ts";

let home: RealCluster;
afterEach(() => home.end());

const text = JSON.stringify;

test("nodes register, and are Ready once Cilium is there", async () => {
  home = await realCluster();
  expect(await home.kubectl("get", "--raw", "/readyz")).toEqual({ code: 0, out: "ok", err: "" });
  await home.settle();
  expect((await home.kubectl("get", "nodes", "--output", "name")).out).toBe("node/k8s-0\nnode/k8s-1\n");
  expect(nodeReady(home.world.state, "k8s-0")).toBe(false);
});

test("what kubectl writes is in the world, and what it deletes is not", async () => {
  home = await realCluster();
  await home.settle();
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" }, data: { b: "c" } };
  expect(withoutWarnings(await home.apply(text(map)))).toEqual({ code: 0, out: "configmap/a serverside-applied\n", err: "" });
  await home.settle();
  expect(entryAt(home.world.state.cluster, "configmaps", "default", "a")!.object.data).toEqual({ b: "c" });
  await home.kubectl("delete", "configmap", "a");
  await home.settle();
  expect(entryAt(home.world.state.cluster, "configmaps", "default", "a")).toBeUndefined();
});
