// Helm's releases, whoever made them: the real helm reads those of the controllers, and the world those of the real helm.
import { afterEach, expect, test } from "vitest";
import { nodeReady } from "../../simulators/world/cluster/cluster.ts";
import { install, releaseAt } from "../../simulators/world/charts/cluster-releases.ts";
import { type RealCluster, realCluster, withoutWarnings } from "./real-cluster.ts";
import { upgrade } from "./stub-charts.ts";

let home: RealCluster;
afterEach(() => home.end());

const cilium = (version: string) => {
  const chart = "oci://quay.io/cilium/charts/cilium";
  return upgrade(home, { name: "cilium", namespace: "kube-system", chart, version, values: {} });
};

test("a release of the real helm is in the world, and with Cilium's the nodes are Ready", async () => {
  home = await realCluster();
  await home.settle();
  expect(await cilium("1.20.1")).toMatchObject({ code: 0 });
  await home.settle();
  expect(releaseAt(home.world.state.cluster, "kube-system", "cilium")).toMatchObject({
    revision: 1,
    status: "deployed",
    chart: "cilium",
    version: "1.20.1",
    history: [{ revision: 1, status: "deployed", description: "Install complete" }],
  });
  expect(nodeReady(home.world.state, "k8s-0")).toBe(true);
  expect(await home.run("helm", ["uninstall", "cilium", "--namespace", "kube-system", "--wait"])).toMatchObject({ code: 0 });
  await home.settle();
  expect(releaseAt(home.world.state.cluster, "kube-system", "cilium")).toBeUndefined();
});

test("the real helm reads, upgrades and uninstalls what a controller installed", async () => {
  home = await realCluster();
  await home.settle();
  const wanted = {
    name: "cilium",
    namespace: "kube-system",
    url: "oci://quay.io/cilium/charts/cilium",
    version: "1.20.1",
    values: { a: 1 },
  };
  home.world.change("world", "helm-controller installs cilium", ({ cluster }) => install(cluster, wanted, home.world.now()));
  await home.settle();
  const [listed] = JSON.parse((await home.run("helm", ["list", "--all-namespaces", "--output", "json"])).out);
  expect(listed).toMatchObject({ name: "cilium", namespace: "kube-system", revision: "1", status: "deployed", chart: "cilium-1.20.1" });
  expect((await home.run("helm", ["get", "values", "cilium", "--namespace", "kube-system", "--output", "json"])).out).toBe('{"a":1}\n');
  expect(withoutWarnings(await cilium("1.20.2"))).toMatchObject({ code: 0, err: "" });
  await home.settle();
  expect(releaseAt(home.world.state.cluster, "kube-system", "cilium")).toMatchObject({
    revision: 2,
    version: "1.20.2",
    url: wanted.url,
    history: [
      { revision: 1, status: "superseded" },
      { revision: 2, status: "deployed" },
    ],
  });
  expect(await home.run("helm", ["uninstall", "cilium", "--namespace", "kube-system", "--wait"])).toMatchObject({ code: 0 });
  expect((await home.kubectl("get", "daemonsets", "--namespace", "kube-system", "--output", "name")).out).toBe("");
  expect(home.refused()).toEqual([]);
});

test("of stderr only warnings are left out of a comparison", () => {
  const err =
    'level=WARN msg="retrying"\nI1201 04:02:11.120304    17 request.go:729] "Waited before sending request"\nWarning: old\nError: no\n';
  expect(withoutWarnings({ code: 1, out: "", err })).toEqual({ code: 1, out: "", err: "Error: no\n" });
});
