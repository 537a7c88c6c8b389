import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { apply } from "../../../scripts/flux/apply.ts";
import { deleteApp } from "../../../scripts/flux/delete.ts";
import { diff } from "../../../scripts/flux/diff.ts";
import { withoutPaths } from "../../../scripts/lib/flux/difference.ts";
import { render } from "../../../scripts/flux/render.ts";
import { sync, verdict } from "../../../scripts/flux/sync.ts";
import { sourceOf } from "../../../scripts/lib/flux/flux.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { findApp, objectOf } from "../../../scripts/lib/flux/app.ts";
import { suspensionsNow, suspendedLeftovers } from "../../../scripts/lib/flux/suspended.ts";
import type { FluxKustomization } from "../../../scripts/lib/tree/types.ts";
import { type Answer, record, type RecordSetup } from "../recorder.ts";
import { ourKubeconfig } from "./our-kubeconfig.ts";

const DIFF = "cat | kubectl diff --server-side --force-conflicts --field-manager kustomize-controller --filename -";
const APPLY = "cat | kubectl apply --server-side --force-conflicts --field-manager kustomize-controller --filename -";
const GET = "kubectl get kustomizations.kustomize.toolkit.fluxcd.io --all-namespaces --output json";
const ONE = "kubectl get kustomizations.kustomize.toolkit.fluxcd.io echo --namespace default --output json";
const CHANGED = `diff -u -N /tmp/LIVE-12/v1.ConfigMap.default.a /tmp/MERGED-34/v1.ConfigMap.default.a
--- /tmp/LIVE-12/v1.ConfigMap.default.a\t2026-01-01 00:00:00.0 +0000
+++ /tmp/MERGED-34/v1.ConfigMap.default.a\t2026-01-01 00:00:00.0 +0000
@@ -1 +1 @@
-a: 1
+a: 2
`;

const open = async (setup: RecordSetup) => record({ ...(await ourKubeconfig()), ...setup });

describe("one application of the tree", () => {
  const one = (namespace: string, name: string) => ({ namespace, name }) as FluxKustomization;
  const all = [one("kube-system", "cilium"), one("default", "echo"), one("network", "echo")];
  it("is found by its name, or by namespace and name", () => {
    expect(findApp(all, "cilium")).toBe(all[0]);
    expect(findApp(all, "network/echo")).toBe(all[2]);
  });
  it("a name that two have, or none, is refused with the ones there are", () => {
    expect(() => findApp(all, "echo")).toThrow("several Kustomizations are called echo: default/echo, network/echo");
    expect(() => findApp(all, "cilum")).toThrow(/no Kustomization is called cilum; did you mean cilium\?/);
  });
  it("is rendered as Flux would apply it, with the labels by which it knows its own", async () => {
    const recording = await record();
    await recording.run(render, { app: "cilium-config" });
    expect(recording.commands).toEqual([]);
    const [objects] = recording.results as { kind: string; metadata: { labels: object } }[][];
    expect(objects!.map(({ kind }) => kind)).toContain("CiliumLoadBalancerIPPool");
    expect(objects![0]!.metadata.labels).toMatchObject({
      "kustomize.toolkit.fluxcd.io/name": "cilium-config",
      "kustomize.toolkit.fluxcd.io/namespace": "kube-system",
    });
  });
});

describe("flux:diff", () => {
  it("changes nothing and says so when the cluster has it all", async () => {
    const recording = await open({ answers: { [DIFF]: "" } });
    await recording.run(diff, { app: "cilium-config" });
    expect(recording.commands).toEqual([`ask ${DIFF}`]);
    expect(recording.said).toEqual(["kube-system/cilium-config: no changes"]);
  });
  it("shows the difference without kubectl's temporary folders, and that changes are pending", async () => {
    const recording = await open({ answers: { [DIFF]: { out: CHANGED, code: 1 } } });
    expect(await recording.run(diff, { app: "cilium-config" })).toMatchObject({ pending: true });
    expect(recording.said).toEqual([withoutPaths(CHANGED).trimEnd()]);
    expect(withoutPaths(CHANGED)).toBe(
      "v1.ConfigMap.default.a\n--- v1.ConfigMap.default.a\n+++ v1.ConfigMap.default.a\n@@ -1 +1 @@\n-a: 1\n+a: 2\n",
    );
  });
  it("a kind that the cluster does not know is no difference", async () => {
    const recording = await open({ answers: { [DIFF]: { err: 'error: no matches for kind "X" in version "y/v1"', code: 1 } } });
    expect(await recording.run(diff, { app: "cilium-config" })).toMatchObject({
      message: expect.stringContaining("task flux:sync, which brings what is missing first"),
    });
  });
});

describe("flux:apply", () => {
  it("shows the difference and that Flux reverts it, applies, and looks again", async () => {
    const recording = await open({ answers: { [DIFF]: [{ out: CHANGED, code: 1 }, ""], [APPLY]: "applied" } });
    await recording.run(apply, { app: "cilium-config" });
    expect(recording.commands).toEqual([`ask ${DIFF}`, `act ${APPLY}`, `ask ${DIFF}`]);
    expect(recording.plans[0]!.lines.at(-1)).toMatch(/^careful: Flux reverts this within \S+ unless it is pushed/);
  });
  it("a refusal says what may be applied already and how to go on", async () => {
    const err = 'Error from server (Invalid): ConfigMap "b" is invalid: metadata.name';
    const recording = await open({ answers: { [DIFF]: { out: CHANGED, code: 1 }, [APPLY]: { err, code: 1 } } });
    expect(String(await recording.run(apply, { app: "cilium-config" }))).toMatch(
      /could not apply kube-system\/cilium-config\n {2}said: Error from server \(Invalid\).*\n {2}now: {2}objects that are not named above may be applied; Flux reverts them within \S+\n {2}next: correct the objects, then: task flux:apply APP=cilium-config/,
    );
  });
  it("a refused comparison names no tool failure but says that nothing was changed", async () => {
    const recording = await open({ answers: { [DIFF]: { err: "Error from server (Forbidden): no", code: 1 } } });
    expect(String(await recording.run(apply, { app: "cilium-config" }))).toMatch(
      /could not compare with the cluster\n {2}said: Error from server \(Forbidden\): no\n {2}now: {2}nothing was changed\n {2}next: correct/,
    );
  });
  it("a dry run applies nothing", async () => {
    const recording = await open({ dryRun: true, answers: { [DIFF]: { out: CHANGED, code: 1 } } });
    await recording.run(apply, { app: "cilium-config" });
    expect(recording.commands).toEqual([`ask ${DIFF}`]);
  });
});

describe("flux:delete", () => {
  const echo = (spec: object = {}) => ({
    kind: "Kustomization",
    metadata: { namespace: "default", name: "echo" },
    spec,
    status: { inventory: { entries: [{ id: "default_echo_helm.toolkit.fluxcd.io_HelmRelease", v: "v2" }, { id: "default_echo__PersistentVolumeClaim", v: "v1" }] } }, // prettier-ignore
  });
  const LIVE = "cat | kubectl get --ignore-not-found --output json --filename -";
  const MANIFEST = "helm get manifest echo --namespace default";
  const object = (kind: string, apiVersion: string, name: string, more: object = {}) => ({
    apiVersion,
    kind,
    metadata: { namespace: "default", name, ...more },
  });
  const release = { ...object("HelmRelease", "helm.toolkit.fluxcd.io/v2", "echo"), spec: {} };
  const claim = (annotations: object = {}) => object("PersistentVolumeClaim", "v1", "echo", { annotations });
  const answers = (spec?: object): Record<string, Answer | Answer[]> => ({
    [GET]: JSON.stringify({ items: [echo(spec)] }),
    [LIVE]: JSON.stringify({ kind: "List", items: [release, claim()] }),
    [MANIFEST]:
      "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: echo, namespace: default}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: cache, namespace: default}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}\n",
    "kubectl patch": "patched",
    [ONE]: JSON.stringify(echo({ suspend: true })),
    "cat | kubectl delete": "deleted",
    "cat | kubectl get --ignore-not-found --output name": "",
  });
  it("shows all that goes, the releases' objects too; suspends first, then deletes what was applied; the ledger has the suspension", async () => {
    const recording = await open({ answers: answers() });
    await recording.run(deleteApp, { app: "echo" });
    expect(recording.commands).toEqual([
      `ask ${GET}`,
      `ask ${LIVE}`,
      `ask ${MANIFEST}`,
      `act kubectl patch kustomizations.kustomize.toolkit.fluxcd.io echo --namespace default --type merge --field-manager flux-client-side-apply --patch $'{"spec":{"suspend":true}}'`,
      `ask ${ONE}`,
      "act cat | kubectl delete --ignore-not-found --wait=true --timeout 9m --filename -",
      "ask cat | kubectl get --ignore-not-found --output name --filename -",
    ]);
    expect(recording.plans[0]).toEqual({
      title: "flux:delete default/echo",
      lines: [
        "suspend Kustomization default/echo; `task leftovers UNDO=1 NAME=default/echo` resumes it, and Flux installs everything again",
        "a volume is restored from its backup if it has one, otherwise it comes back empty",
      ],
      destroys: {
        name: "echo",
        what: [
          "PersistentVolumeClaim default/echo, and all that is in it",
          "PersistentVolumeClaim default/cache of HelmRelease default/echo, and all that is in it",
          "HelmRelease default/echo",
          "Deployment default/echo of HelmRelease default/echo",
        ],
      },
    });
    expect(recording.said[0]).toBe(
      "default/echo is gone: 2 objects, PersistentVolumeClaim default/echo, PersistentVolumeClaim default/cache with their data",
    );
    expect(recording.ledger).toMatchObject([
      { kind: "suspended Kustomization" as const, name: "default/echo", procedure: "flux:delete", onPurpose: true },
    ]);
  });
  it("that is interrupted leaves an entry that does not say that it was left on purpose", async () => {
    const recording = await open({ answers: { ...answers(), "cat | kubectl delete": { code: 1, err: "killed" } } });
    await recording.run(deleteApp, { app: "echo" });
    expect(recording.ledger).toMatchObject([{ name: "default/echo" }]);
    expect(recording.ledger[0]).not.toHaveProperty("onPurpose");
  });
  it("a refusal says that the Kustomization is suspended, and both ways to go on", async () => {
    const recording = await open({
      answers: { ...answers(), "cat | kubectl delete": { code: 1, err: "Error from server (Forbidden): no" } },
    });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain(
      "could not delete 2 objects of default/echo\n  said: Error from server (Forbidden): no\n  now:  some of them may be deleted; the Kustomization is suspended, so that Flux changes nothing\n  next: task flux:delete APP=default/echo continues; task leftovers UNDO=1 NAME=default/echo brings it back",
    );
  });
  it("a Kustomization that cannot be suspended stops it: nothing is deleted", async () => {
    const recording = await open({
      answers: { ...answers(), "kubectl patch": { code: 1, err: "Error from server (Forbidden): no" }, [ONE]: JSON.stringify(echo()) },
    });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain(
      "could not suspend Kustomization default/echo\n  said: Error from server (Forbidden): no\n  now:  nothing was deleted",
    );
    expect(recording.commands.filter((line) => line.includes("delete"))).toEqual([]);
  });
  it("leaves what is marked to stay", async () => {
    const marked = claim({ "kustomize.toolkit.fluxcd.io/prune": "disabled" });
    const recording = await open({ answers: { ...answers(), [LIVE]: JSON.stringify({ kind: "List", items: [release, marked] }) } });
    await recording.run(deleteApp, { app: "echo" });
    expect(recording.plans[0]!.lines).toContain("keep (its annotation says so): PersistentVolumeClaim default/echo");
    expect(recording.plans[0]!.destroys!.what).not.toContain("PersistentVolumeClaim default/echo, and all that is in it");
    const deleted = recording.stdin["cat | kubectl delete --ignore-not-found --wait=true --timeout 9m --filename -"]!;
    expect(deleted).toContain("kind: HelmRelease");
    expect(deleted).not.toContain("PersistentVolumeClaim");
  });
  it("a release that is not there, or that Flux leaves alone, has nothing that goes", async () => {
    const gone = await open({ answers: { ...answers(), [MANIFEST]: { err: "Error: release: not found", code: 1 } } });
    await gone.run(deleteApp, { app: "echo" });
    const left = await open({
      answers: { ...answers(), [LIVE]: JSON.stringify({ kind: "List", items: [{ ...release, spec: { suspend: true } }, claim()] }) },
    });
    await left.run(deleteApp, { app: "echo" });
    for (const { plans } of [gone, left])
      expect(plans[0]!.destroys!.what).toEqual(["PersistentVolumeClaim default/echo, and all that is in it", "HelmRelease default/echo"]);
    expect(left.commands.filter((line) => line.includes("helm"))).toEqual([]);
  });
  it("a helm that cannot say what a release has stops it, before anything is changed", async () => {
    const recording = await open({ answers: { ...answers(), [MANIFEST]: { err: "Error: secrets is forbidden", code: 1 } } });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain("secrets is forbidden");
    expect(recording.commands.filter((line) => line.startsWith("act"))).toEqual([]);
  });
  const parent = (children: { namespace: string; name: string; prune?: boolean }[]) => [
    {
      kind: "Kustomization",
      metadata: { namespace: "media", name: "all" },
      status: { inventory: { entries: children.map(({ namespace, name }) => ({ id: `${namespace}_${name}_kustomize.toolkit.fluxcd.io_Kustomization`, v: "v1" })) } }, // prettier-ignore
    },
    ...children.map(({ namespace, name, prune = true }) => ({
      kind: "Kustomization",
      metadata: { namespace, name },
      spec: { prune },
      status: { inventory: { entries: [{ id: `${namespace}_${name}__ConfigMap`, v: "v1" }] } },
    })),
  ];
  it("shows what its Kustomizations applied, save where these do not prune", async () => {
    const items = parent([{ namespace: "media", name: "a" }, { namespace: "media", name: "b", prune: false }]); // prettier-ignore
    const recording = await open({ dryRun: true, answers: { [GET]: JSON.stringify({ items }), [LIVE]: "" } });
    await recording.run(deleteApp, { app: "all" });
    expect(recording.plans[0]!.destroys!.what).toEqual([
      "Kustomization media/a",
      "Kustomization media/b",
      "ConfigMap media/a of Kustomization media/a",
    ]);
  });
  it.each([
    ["flux-system", "flux-instance"],
    ["kube-system", "cilium"],
    ["rook-ceph", "rook-ceph-cluster"],
    ["external-secrets", "onepassword"],
    ["default", "cluster-apps"],
  ])("refuses %s/%s, asked for or below what is asked for, before anything is changed", async (namespace, name) => {
    const own = { kind: "Kustomization", metadata: { namespace, name } };
    for (const [items, app] of [
      [[own], name],
      [parent([{ namespace, name }]), "all"],
    ] as const) {
      // prettier-ignore
      const recording = await open({ answers: { [GET]: JSON.stringify({ items }) } });
      recording.context.waive = ["vital"];
      expect(String(await recording.run(deleteApp, { app }))).toContain(`said: the cluster is not itself without ${namespace}/${name}\n`);
      expect(recording.commands).toEqual([`ask ${GET}`]);
    }
  });
  const LEFTOVERS = "task leftovers UNDO=1 NAME=default/echo";
  const written = (change: object = {}) => ({ id: "1", at: "2026-01-01T00:00:00.000Z", kind: "suspended Kustomization" as const, name: "default/echo", owner: { cluster: "home-ops-cluster" }, facts: {}, procedure: "flux:delete", ...change }); // prettier-ignore
  it.each([
    ["is not suspended", {}, [], { patches: 1, entries: ["default/echo"], next: LEFTOVERS, shows: "suspend Kustomization default/echo; " }],
    ["is not suspended any more, though the ledger says so", {}, [written({ onPurpose: true })], { patches: 1, entries: ["default/echo"], next: LEFTOVERS, shows: "suspend Kustomization default/echo; " }],
    ["was suspended by an earlier flux:delete", { suspend: true }, [written()], { patches: 0, entries: ["default/echo"], next: LEFTOVERS, shows: "an earlier flux:delete suspended it" }],
    ["was suspended by a person", { suspend: true }, [], { patches: 0, entries: [], next: "flux resume kustomization echo --namespace default", shows: "somebody suspended it, not flux:delete" }],
    ["was suspended by a person, while the ledger has another home's entry", { suspend: true }, [written({ owner: { cluster: "other" } })], { patches: 0, entries: ["default/echo"], next: "flux resume kustomization echo --namespace default", shows: "somebody suspended it, not flux:delete" }],
  ])("one that %s: what it writes down and which command it names", async (_what, spec, before, { patches, entries, next, shows }) => {
    const recording = await open({ answers: answers(spec) });
    recording.ledger.push(...before);
    expect(await recording.run(deleteApp, { app: "echo" })).toBeUndefined();
    expect(recording.commands.filter((line) => line.includes("kubectl patch"))).toHaveLength(patches);
    expect(recording.ledger.map(({ name }) => name)).toEqual(entries);
    expect(recording.plans[0]!.lines[0]).toContain(shows);
    expect(recording.plans[0]!.lines[0]).toContain(`\`${next}\` resumes it`);
    expect(recording.said.at(-1)).toBe(`its Kustomization stays suspended: take it out of Git, or bring it back with: ${next}`);
  }); // prettier-ignore
  it("one that is resumed while the question is open is not suspended again without a question", async () => {
    const items = (suspend: boolean) => JSON.stringify({ items: [echo({ suspend })] });
    const recording = await open({ answers: { ...answers(), [GET]: [items(true), items(false)] }, whileAsking: () => {} });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain("new: suspend Kustomization default/echo");
    expect(recording.commands.filter((line) => line.startsWith("act"))).toEqual([]);
  });
  it("one that the cluster does not show as suspended afterwards is not deleted", async () => {
    const recording = await open({ answers: { ...answers(), [ONE]: JSON.stringify(echo({ suspend: false })) } });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain("could not suspend Kustomization default/echo");
    expect(recording.commands.some((line) => line.includes("kubectl delete"))).toBe(false);
  });
  it.each([
    ["no status", undefined],
    ["a status without an inventory", {}],
    ["an inventory without entries", { inventory: {} }],
    ["an inventory of null", { inventory: null }],
  ])("%s means that nobody knows what runs: it stops, and does not say that nothing would go", async (_what, status) => {
    for (const items of [
      [{ ...echo(), status }],
      [
        ...parent([{ namespace: "media", name: "a" }]).slice(0, 1),
        { ...echo(), metadata: { namespace: "media", name: "a" }, spec: { prune: true }, status },
      ],
    ]) {
      const recording = await open({ answers: { ...answers(), [GET]: JSON.stringify({ items }) } });
      const ended = String(await recording.run(deleteApp, { app: items.length > 1 ? "all" : "echo" }));
      expect(ended).toContain("its status has no inventory: it is unknown what runs in the cluster");
      expect(recording.said.join()).not.toContain("nothing");
      expect(recording.commands).toEqual([`ask ${GET}`]);
    }
  });
  it("an empty inventory is nothing", async () => {
    const items = [{ ...echo(), status: { inventory: { entries: [] } } }];
    const recording = await open({ answers: { ...answers(), [GET]: JSON.stringify({ items }) } });
    expect(await recording.run(deleteApp, { app: "echo" })).toBeUndefined();
    expect(recording.said).toEqual(["default/echo has nothing in the cluster that would be deleted"]);
  });
  it("a cluster without Flux is no cluster without applications", async () => {
    const recording = await open({
      answers: { [GET]: { code: 1, err: `error: the server doesn't have a resource type "kustomizations"` } },
    });
    expect(String(await recording.run(deleteApp, { app: "echo" }))).toContain("the cluster does not have all of these kinds");
  });
  it("names of the inventory are read as Flux writes them", () => {
    expect(objectOf({ id: "_system__node-admin_rbac.authorization.k8s.io_ClusterRole", v: "v1" })).toEqual({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:node-admin" },
    });
  });
});

describe("flux:sync", () => {
  const git = { "git rev-parse": "abc123\n", "git status": "", "git diff": "" };
  it("refuses what only the working tree has", async () => {
    const recording = await open({
      answers: { ...git, "git status": " M kubernetes/apps/x.yaml\n", "git diff": "kubernetes/apps/y.yaml\n" },
    });
    expect(await recording.run(sync, {})).toMatchObject({
      message: expect.stringMatching(/kubernetes\/apps\/x\.yaml: not committed\n +kubernetes\/apps\/y\.yaml: not pushed/),
    });
    expect(recording.commands.filter((line) => line.startsWith("act"))).toEqual([]);
  });
  const at = (revision: string, kind = "Kustomization", name = "flux-system") => ({
    apiVersion: "",
    kind,
    metadata: { namespace: "flux-system", name },
    spec: { sourceRef: { name: "flux-system" } },
    status: { artifact: { revision }, lastAppliedRevision: revision },
  });
  const all = { ready: 2, total: 2, waiting: [] };
  it.each([
    ["fetched", [at("main@sha1:old", "GitRepository")], all, { waiting: "Flux has fetched main@sha1:old" }],
    ["applied", [at("main@sha1:new", "GitRepository"), at("main@sha1:old")], all, { waiting: "Kustomization flux-system/flux-system is at main@sha1:old" }],
    ["ready", [at("main@sha1:new", "GitRepository"), at("main@sha1:new")], { ready: 1, total: 2, waiting: ["HelmRelease a/b: no"] }, { waiting: "HelmRelease a/b: no" }],
    ["done", [at("main@sha1:new", "GitRepository"), at("main@sha1:new")], all, { ready: true }],
  ])("waits until the last push is %s", (_until, objects, state, expected) => {
    expect(verdict("new", { ...state, source: sourceOf(objects as KubernetesObject[]) })).toEqual(expected);
  }); // prettier-ignore
});

describe("what stays suspended", () => {
  const entry = {
    id: "1",
    at: "",
    kind: "suspended Kustomization" as const,
    name: "default/echo",
    owner: { cluster: "home-ops-cluster" },
    facts: {},
    procedure: "flux:delete",
  };
  const there = (suspend: boolean) => [
    { apiVersion: "", kind: "Kustomization", metadata: { namespace: "default", name: "echo" }, spec: { suspend } },
  ];
  it.each([
    ["is resumed while it is suspended", there(true), "home-ops-cluster", "safe"],
    ["is struck out when somebody resumed it", there(false), "home-ops-cluster", "gone"],
    ["is struck out when it is not there", [], "home-ops-cluster", "gone"],
    ["of another cluster is left alone", there(true), "other", "kept"],
  ])("%s", (_what, all, home, expected) => {
    expect(suspensionsNow([entry], all, home)[0]!.verdict).toBe(expected);
  });
  it("is gone when another Kustomization has its name now", () =>
    expect(suspensionsNow([{ ...entry, facts: { uid: "a" } }], there(true), "home-ops-cluster")[0]).toMatchObject({
      verdict: "gone",
      why: "another Kustomization has its name now",
    }));
  it("of which another took the name between the question and the act is not resumed", async () => {
    const [one] = there(true);
    const items = (uid: string) => JSON.stringify({ items: [{ ...one, metadata: { ...one!.metadata, uid } }] });
    const recording = await open({ answers: { [GET]: [items("a"), items("b")] } });
    recording.ledger.push(entry);
    const seen = await suspendedLeftovers.observe([entry], recording.context, () => true);
    const { undone, left } = await suspendedLeftovers.undo([entry], recording.context, seen);
    expect([undone, left.map(({ why }) => why)]).toEqual([[], ["another suspended Kustomization has this name now, so nothing was done"]]);
    expect(recording.ledger).toEqual([entry]);
  });
  it("is resumed under the name that the flux command has, so that kustomize-controller does not take the field over", async () => {
    const recording = await open({
      answers: { [GET]: JSON.stringify({ items: there(true) }), "kubectl patch": "patched", [ONE]: JSON.stringify(there(false)[0]) },
    });
    const seen = await suspendedLeftovers.observe([entry], recording.context, () => true);
    expect((await suspendedLeftovers.undo([entry], recording.context, seen)).left).toEqual([]);
    expect(recording.commands).toContain(
      `act kubectl patch kustomizations.kustomize.toolkit.fluxcd.io echo --namespace default --type merge --field-manager flux-client-side-apply --patch $'{"spec":{"suspend":false}}'`,
    );
  });
});

describe("flux:sync that may", () => {
  const KINDS = "gitrepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io";
  const NOW = "2026-12-01T04:00:00.000Z";
  const ready = (kind: string, handled = NOW) => ({
    kind,
    metadata: {
      namespace: "flux-system",
      name: "flux-system",
      generation: 1,
      annotations: { "reconcile.fluxcd.io/requestedAt": NOW },
    },
    spec: { sourceRef: { name: "flux-system" } },
    status: {
      observedGeneration: 1,
      lastHandledReconcileAt: handled,
      artifact: { revision: "main@sha1:abc123" },
      lastAppliedRevision: "main@sha1:abc123",
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: new Date(NOW) }));
  afterEach(() => void vi.useRealTimers());
  it("without a known head waits until Flux has handled its request: the commit that Flux has may be an old one", async () => {
    const list = (handled: string) => JSON.stringify({ items: [ready("GitRepository", handled), ready("Kustomization", handled)] });
    const recording = await open({
      waive: ["git"],
      answers: {
        "git rev-parse": { code: 128, err: "fatal: no upstream" },
        "kubectl annotate": "annotated",
        "kubectl get": [list("2026-11-30T00:00:00.000Z"), list(NOW)],
      },
    });
    expect(await recording.run(sync, {})).toBeUndefined();
    expect(
      recording.commands.filter((line) => line.startsWith("ask kubectl get gitrepositories") || line.includes("fluxinstances")),
    ).toHaveLength(2);
    expect(recording.said.at(-1)).toBe("Flux applied what was pushed: everything is ready");
  });
  it("asks the repository and its Kustomization to look, and is done when both are at the last push", async () => {
    const both = JSON.stringify({ items: [ready("GitRepository"), ready("Kustomization")] });
    const recording = await open({
      answers: { "git rev-parse": "abc123\n", "git status": "", "git diff": "", "kubectl annotate": "annotated", "kubectl get": both },
    });
    expect(await recording.run(sync, {})).toBeUndefined();
    const asked = recording.commands.filter((line) => line.startsWith("act ")).map((line) => line.replace(/\d{4}-.*$/, "<now>"));
    expect(asked).toEqual(
      KINDS.split(",").map(
        (kind) => `act kubectl annotate ${kind} flux-system --namespace flux-system --overwrite reconcile.fluxcd.io/requestedAt=<now>`,
      ),
    );
    expect(recording.said.at(-1)).toBe("Flux applied abc123: everything is ready");
  });
});

describe("what others did", () => {
  it("a push of somebody else is what flux:sync waits for, though it was not pulled here", async () => {
    const remote = "b".repeat(40);
    const recording = await open({
      dryRun: true,
      answers: {
        "git rev-parse": "abc123\n",
        "git rev-parse --abbrev-ref": "origin/main\n",
        "git ls-remote": `${remote}\trefs/heads/main\n`,
        "git status": "",
        "git diff": "",
      },
    });
    await recording.run(sync, {});
    expect(recording.commands).toContain("ask git ls-remote --exit-code origin refs/heads/main");
    expect(recording.plans[0]!.lines).toEqual([`reconcile ${remote.slice(0, 12)}, and wait until everything is ready`]);
  });
  it("with another cluster's kubeconfig nothing suspended is called gone", async () => {
    const recording = await record({ ...(await ourKubeconfig()), secrets: () => "b3RoZXI=" });
    const entry = {
      id: "1",
      at: "",
      kind: "suspended Kustomization" as const,
      name: "default/echo",
      owner: { cluster: "home-ops-cluster" },
      facts: {},
      procedure: "flux:delete",
    };
    await expect(suspendedLeftovers.observe([entry], recording.context, () => true)).rejects.toThrow(
      "it trusts another authority than home-ops-cluster's in the vault",
    );
    expect(recording.commands).toEqual([]);
  });
});
