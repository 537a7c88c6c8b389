// The stages: what they conclude from what they see, and which commands follow.
import { describe, expect, test } from "vitest";
import { apps, seeReleases } from "../../../scripts/bootstrap/apps.ts";
import { compareCrds } from "../../../scripts/bootstrap/crds.ts";
import { seeFlux } from "../../../scripts/bootstrap/flux.ts";
import { compareNodes, nodes } from "../../../scripts/bootstrap/nodes.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes.ts";
import { carryOut, type Seen, stage } from "../../../scripts/lib/stage.ts";
import { record } from "../recorder.ts";

const node = (name: string, ready = "False"): KubernetesObject => ({ apiVersion: "v1", kind: "Node", metadata: { name }, status: { conditions: [{ type: "Ready", status: ready }] } });
const NAMES = ["k8s-0", "k8s-1", "k8s-2"];

describe("nodes", () => {
  test("all registered is done, Ready or not", () => expect(compareNodes(NAMES, NAMES.map((name, i) => node(name, i ? "False" : "True")))).toEqual({ state: "done", saw: "3 of 3 registered, 1 Ready" }));
  test("some missing is partly", () => expect(compareNodes(NAMES, [node("k8s-1")])).toEqual({ state: "partly", saw: "1 of 3 registered, missing k8s-0, k8s-2", todo: ["wait until k8s-0, k8s-2 are registered"] }));
  test("none is to do", () => expect(compareNodes(NAMES, []).state).toBe("to do"));
  test("a node that nobody expects is named", () => expect(compareNodes(["k8s-0"], [node("k8s-0"), node("other")]).saw).toBe("1 of 1 registered, 0 Ready, not in cluster.yaml: other"));
  test("an API that does not answer is unknown, not to do", async () => {
    const run = await record({ answers: { "kubectl get --raw /readyz": { err: "The connection to the server 192.168.120.100:6443 was refused", code: 1 } } });
    expect(await nodes.observe(run.context)).toMatchObject({ state: "unknown", saw: "the API does not answer: The connection to the server 192.168.120.100:6443 was refused" });
  });
});

describe("definitions", () => {
  test("all there is done", () => expect(compareCrds(["a", "b"], ["b", "a", "c"])).toEqual({ state: "done", saw: "2 of 2" }));
  test("some there is partly", () => expect(compareCrds(["a", "b"], ["b"])).toEqual({ state: "partly", saw: "1 of 2", todo: ["apply 2 CustomResourceDefinitions (1 are missing)"] }));
  test("none there is to do", () => expect(compareCrds(["a"], []).state).toBe("to do"));
});

describe("Flux", () => {
  test("that is not installed is to do", () => expect(seeFlux(undefined).state).toBe("to do"));
  test("with nothing but its instance has not looked yet", () => expect(seeFlux({ ready: 1, total: 1, waiting: [] }).state).toBe("partly"));
  test("names what is not ready", () => expect(seeFlux({ ready: 1, total: 2, waiting: ["Kustomization a/b: why"] })).toMatchObject({ state: "partly", saw: "1/2 ready\nKustomization a/b: why" }));
  test("with everything ready is done", () => expect(seeFlux({ ready: 5, total: 5, waiting: [] })).toMatchObject({ state: "done", saw: "5/5 ready" }));
});

describe("a stage alone", () => {
  const made = (sees: Seen[]) => {
    const did: string[] = [];
    return { did, stage: stage({ name: "bootstrap:try", about: "try it", observe: async () => (sees.length > 1 ? sees.shift()! : sees[0]!), act: async () => void did.push("act") }) };
  };
  test("that is done does nothing and asks nothing", async () => {
    const run = await record();
    const { did, stage: one } = made([{ state: "done", saw: "all there" }]);
    await run.run(one, {});
    expect([did, run.plans, run.said]).toEqual([[], [], ["bootstrap:try: already true: all there"]]);
  });
  test("shows its plan, acts, and asks again", async () => {
    const run = await record();
    const { did, stage: one } = made([{ state: "to do", saw: "nothing there", todo: ["make it"] }, { state: "done", saw: "all there" }]);
    await run.run(one, {});
    expect([did, run.plans, run.said]).toEqual([["act"], [{ title: "bootstrap:try: nothing there", lines: ["make it"] }], ["bootstrap:try: all there"]]);
  });
  test("ends a dry run at the plan", async () => {
    const run = await record({ dryRun: true });
    const { did, stage: one } = made([{ state: "to do", saw: "nothing" }]);
    expect(String(await run.run(one, {}))).toContain("dry run");
    expect(did).toEqual([]);
  });
  test("is a failure when the outside does not agree afterwards", async () => {
    const run = await record();
    const { stage: one } = made([{ state: "to do", saw: "nothing" }]);
    await expect(carryOut(one, run.context)).rejects.toThrow("could not try it\n  now:  to do: nothing\n  next: task bootstrap:try");
  });
});

describe("releases", () => {
  test("that are missing are installed in order, with the reason", () =>
    expect(seeReleases([{ name: "cilium", namespace: "kube-system", chart: "c", version: "1.20.1", is: "deployed" }, { name: "coredns", namespace: "kube-system", chart: "c", version: "1.47.0", is: "stuck" }])).toEqual({
      state: "partly",
      saw: "1 of 2 deployed",
      todo: ["kube-system/coredns 1.47.0: its helm died: uninstall what it left, then install"],
    }));
  const LIST = JSON.stringify([{ name: "coredns", namespace: "kube-system", enabled: true, installed: true, labels: "", chart: "oci://x/coredns", version: "1.47.0" }]);
  const answers = { "kubectl get --raw": "ok", "helmfile --file bootstrap/helmfile.d/01-apps.yaml list": LIST, "helm list": "[]" };
  test("an API that does not answer leaves them unknown", async () => {
    const run = await record({ answers: { ...answers, "kubectl get --raw": { code: 1, err: "refused" } } });
    expect((await apps.observe(run.context)).state).toBe("unknown");
  });
  test("are asked from helmfile and helm", async () => {
    const run = await record({ answers });
    expect((await apps.observe(run.context)).todo).toEqual(["kube-system/coredns 1.47.0: install"]);
    expect(run.commands).toEqual([
      "ask kubectl get --raw /readyz",
      "ask helmfile --file bootstrap/helmfile.d/01-apps.yaml list --output json",
      "ask helm list --all-namespaces --deployed --failed --pending --uninstalling --output json",
    ]);
  });
});
