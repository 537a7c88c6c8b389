// The stages: what they conclude from what they see, and which commands follow.
import { describe, expect, test } from "vitest";
import { apps, seeReleases } from "../../../scripts/bootstrap/apps.ts";
import { compareCrds, crds, errorLines } from "../../../scripts/bootstrap/crds.ts";
import type { Source } from "../../../scripts/lib/flux/flux.ts";
import { seeFlux } from "../../../scripts/bootstrap/flux.ts";
import { compareNodes, nodes } from "../../../scripts/bootstrap/nodes.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { carryOut, type StageState, stage } from "../../../scripts/lib/bootstrap/stage.ts";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAllKnown } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { expectOurCluster } from "../../../scripts/lib/kubernetes/access.ts";
import { describeStep, type Step } from "../../../scripts/lib/run/plan.ts";
import type { Release } from "../../../scripts/lib/kubernetes/helm.ts";
import { ourKubeconfig } from "../flux/our-kubeconfig.ts";
import { type Answer, record } from "../recorder.ts";

const node = (name: string, ready = "False"): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  status: { conditions: [{ type: "Ready", status: ready }] },
});
const NAMES = ["k8s-0", "k8s-1", "k8s-2"];

describe("nodes", () => {
  test("all registered is done, Ready or not", () =>
    expect(
      compareNodes(
        NAMES,
        NAMES.map((name, i) => node(name, i ? "False" : "True")),
      ),
    ).toEqual({ state: "done", saw: "3 of 3 registered, 1 Ready" }));
  test("some missing is partly", () =>
    expect(compareNodes(NAMES, [node("k8s-1")])).toEqual({
      state: "partly",
      saw: "1 of 3 registered, missing k8s-0, k8s-2",
      todo: ["wait until k8s-0, k8s-2 are registered"],
    }));
  test("none is to do", () => expect(compareNodes(NAMES, []).state).toBe("to do"));
  test("only nodes that nobody expects are another cluster's: it stops", () =>
    expect(() => compareNodes(NAMES, [node("other-0"), node("other-1")])).toThrow(
      "the API lists only nodes that talos/cluster.yaml does not have: other-0, other-1",
    ));
  test("a node that nobody expects is named", () =>
    expect(compareNodes(["k8s-0"], [node("k8s-0"), node("other")]).saw).toBe("1 of 1 registered, 0 Ready, not in cluster.yaml: other"));
  test("an API that does not answer is unknown, not to do", async () => {
    const run = await record({
      answers: { "kubectl get --raw /readyz": { err: "The connection to the server 192.168.120.100:6443 was refused", code: 1 } },
    });
    expect(await nodes.observe(run.context)).toMatchObject({
      state: "unknown",
      saw: "the API does not answer: The connection to the server 192.168.120.100:6443 was refused",
    });
  });
});

describe("definitions", () => {
  test("all there is done", () => expect(compareCrds(["a", "b"], ["b", "a", "c"])).toEqual({ state: "done", saw: "2 of 2" }));
  test("some there is partly", () =>
    expect(compareCrds(["a.x.io", "b.x.io"], ["b.x.io"])).toEqual({
      state: "partly",
      saw: "1 of 2",
      todo: ["create the CustomResourceDefinitions of x.io: a", "definitions that exist are not changed"],
      steps: [{ action: "create", target: "CustomResourceDefinition a.x.io" }],
      facts: ["a.x.io"],
    }));
  test("none there is to do", () => expect(compareCrds(["a"], []).state).toBe("to do"));
  test("are each a step, and are shown by API group", () => {
    const seen = compareCrds(["a.x.io", "b.x.io", "c.y.io"], ["c.y.io"]);
    expect(seen.todo![0]).toBe("create the CustomResourceDefinitions of x.io: a, b");
    expect(seen.steps!.map(describeStep)).toEqual(["create CustomResourceDefinition a.x.io", "create CustomResourceDefinition b.x.io"]);
  });
  const crd = (name: string) => `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${name}\n`;
  test("are created when the plan named them and nobody has created them since", async () => {
    const APPLY = "cat | kubectl apply --server-side --field-manager home-ops-bootstrap --filename -";
    const run = await record({
      ...(await ourKubeconfig()),
      answers: {
        "kubectl get --raw /readyz": "ok",
        "helmfile --file bootstrap/helmfile.d/00-crds.yaml": `${crd("a.x.io")}---\n${crd("b.x.io")}---\n${crd("c.x.io")}`,
        "kubectl get customresourcedefinitions": [
          "customresourcedefinition.apiextensions.k8s.io/c.x.io\n",
          // while the question is open c.x.io goes and a.x.io appears
          "customresourcedefinition.apiextensions.k8s.io/a.x.io\n",
        ],
        [APPLY]: "applied",
        "kubectl wait": "met",
      },
    });
    await crds.act(run.context, await crds.observe(run.context), []);
    expect(run.stdin[APPLY]).toContain("name: b.x.io");
    expect(run.stdin[APPLY]).not.toMatch(/name: [ac]\.x\.io/);
  });
  test("a chart that cannot be pulled is what helm says of it, once", () => {
    const said = `in bootstrap/helmfile.d/00-crds.yaml: [release "envoy-gateway": command "helm" exited with non-zero status:

PATH:
  helm

ERROR:
  exit status 1

STDERR:
  Error: failed to perform "Push" on destination: mismatched digest

COMBINED OUTPUT:
  Error: failed to perform "Push" on destination: mismatched digest]`;
    expect(errorLines(said)).toBe('Error: failed to perform "Push" on destination: mismatched digest');
    expect(errorLines("no space left on device")).toBe("no space left on device");
  });
});

describe("Flux", () => {
  const HOME = { url: "https://github.com/operator/home-ops", head: "abc123" };
  const source = { url: `${HOME.url}.git`, revision: "refs/heads/main@sha1:abc123", behind: [], outdated: false, requests: [] };
  test("that is not installed is to do", () => expect(seeFlux(undefined, HOME).state).toBe("to do"));
  test("with nothing but its instance has not looked yet", () =>
    expect(seeFlux({ ready: 1, total: 1, waiting: [], source }, HOME).state).toBe("partly"));
  test("names what is not ready", () =>
    expect(seeFlux({ ready: 1, total: 2, waiting: ["Kustomization a/b: why"], source }, HOME)).toMatchObject({
      state: "partly",
      saw: "1/2 ready\nKustomization a/b: why",
    }));
  test("with everything ready is done", () =>
    expect(seeFlux({ ready: 5, total: 5, waiting: [], source }, HOME)).toEqual({ state: "done", saw: "5/5 ready" }));
  test.each([
    [
      "another revision than the pushed one",
      { ...source, revision: "refs/heads/main@sha1:old" },
      HOME,
      "Flux has fetched refs/heads/main@sha1:old",
    ],
    ["nothing fetched yet", { ...source, revision: undefined }, HOME, "Flux has fetched nothing yet"],
    ["no repository", undefined, HOME, "Flux has no GitRepository flux-system"],
    ["a Kustomization that is behind", { ...source, behind: ["Kustomization a/b is at old"] }, HOME, "Kustomization a/b is at old"],
    [
      "an unknown head",
      source,
      { url: HOME.url, hindrance: "it is unknown what was pushed: no upstream" },
      "it is unknown what was pushed",
    ],
  ])("with everything ready but %s is not done", (_what, one, followed, why) => {
    const seen = seeFlux({ ready: 5, total: 5, waiting: [], source: one }, followed);
    expect([seen.state, seen.saw]).toEqual(["partly", expect.stringContaining(why)]);
  });
  describe("with everything ready and a pushed commit that is unknown, whose check is waived", () => {
    const followed = { url: HOME.url, unknown: "no upstream" };
    const see = (one: Source, requested?: { at?: string }) =>
      seeFlux({ ready: 5, total: 5, waiting: [], source: one }, followed, requested);
    const handled = (at: string) => ({ ...source, requests: [{ of: "GitRepository flux-system", asked: at, handled: at }] });
    test("is unknown, never done", () =>
      expect(see(source)).toMatchObject({
        state: "unknown",
        saw: "5/5 ready\nit is unknown whether Flux has what was pushed: no upstream",
      }));
    test("is done once Flux has handled the run's request, or has fetched for the first time", () =>
      expect([see(handled("now"), { at: "now" }).state, see(source, {}).state]).toEqual(["done", "done"]));
    test("is not done while the request is open", () =>
      expect(
        see({ ...handled("now"), requests: [{ of: "GitRepository flux-system", asked: "now", handled: "old" }] }, { at: "now" }).state,
      ).toBe("partly"));
  });
  test.each([
    "https://github.com/example/home-ops",
    "https://github.com/operator/home-ops-2",
    "ssh://git@codeberg.org/operator/home-ops",
    "",
  ])("that follows %j is not ours: it stops, whatever is ready", (url) =>
    expect(() => seeFlux({ ready: 5, total: 5, waiting: [], source: { ...source, url } }, HOME)).toThrow(
      `Flux follows ${url}, talos/cluster.yaml says https://github.com/operator/home-ops`,
    ),
  );
  test.each(["https://GitHub.com/operator/home-ops.git", "ssh://git@github.com/operator/home-ops", "git@github.com:operator/home-ops.git"])(
    "that follows %j is ours",
    (url) => expect(seeFlux({ ready: 5, total: 5, waiting: [], source: { ...source, url } }, HOME).state).toBe("done"),
  );
});

describe("a stage alone", () => {
  const made = (sees: StageState[]) => {
    const did: string[] = [];
    return {
      did,
      stage: stage({
        name: "bootstrap:try",
        about: "try it",
        observe: async () => (sees.length > 1 ? sees.shift()! : sees[0]!),
        act: async () => void did.push("act"),
      }),
    };
  };
  test("that is done does nothing and asks nothing", async () => {
    const run = await record();
    const { did, stage: one } = made([{ state: "done", saw: "all there" }]);
    await run.run(one, {});
    expect([did, run.plans, run.said]).toEqual([[], [], ["bootstrap:try: already done: all there"]]);
  });
  test("shows its plan, acts, and asks again", async () => {
    const run = await record();
    const { did, stage: one } = made([
      { state: "to do", saw: "nothing there", todo: ["make it"] },
      { state: "done", saw: "all there" },
    ]);
    await run.run(one, {});
    expect([did, run.plans, run.said]).toEqual([
      ["act"],
      [{ title: "bootstrap:try: nothing there", lines: ["make it"] }],
      ["bootstrap:try: all there"],
    ]);
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
    await expect(carryOut(one, run.context, await one.observe(run.context), [])).rejects.toThrow(
      "could not try it\n  now:  to do: nothing\n  next: task bootstrap:try",
    );
  });
});

describe("releases", () => {
  test("that are missing are installed in order, with the reason", () =>
    expect(
      seeReleases([
        { name: "cilium", namespace: "kube-system", chart: "c", version: "1.20.1", is: "deployed" },
        { name: "coredns", namespace: "kube-system", chart: "c", version: "1.47.0", is: "stuck" },
      ]),
    ).toMatchObject({
      state: "partly",
      saw: "1 of 2 deployed",
      todo: ["kube-system/coredns 1.47.0: the helm of its first install died: uninstall what it left, then install"],
      steps: [{ action: "uninstall what a failed install left of", target: "kube-system/coredns", destroys: true }],
      destroys: { what: ["kube-system/coredns: everything that its failed install created is uninstalled"], name: "coredns" },
    }));
  const coredns = (is: Release["is"], status?: string): Release => ({ name: "coredns", namespace: "kube-system", chart: "c", version: "1.47.0", is, ...(status && { status }) }); // prettier-ignore
  test.each([
    ["stuck", "coredns"],
    ["halfway", "coredns"],
    ["half removed", "coredns"],
    ["absent", undefined],
    ["outdated", undefined],
    ["failed", undefined],
    ["pending", undefined],
    ["uninstalling", undefined],
  ] as const)("that are %s: what has to be typed is %s", (is, name) => {
    const { destroys, steps } = seeReleases([coredns(is)]);
    expect([destroys?.name, steps![0]!.destroys]).toEqual([name, name === undefined ? undefined : true]);
  });
  test("that a helm uninstalls are not said to have failed: somebody may want them gone", () =>
    expect(seeReleases([coredns("uninstalling")]).todo![0]).toMatch(
      /wait for the helm that uninstalls it, .*answer No if somebody removes it on purpose/,
    ));
  test("of a status that nobody taught it stop the run", () =>
    expect(() => seeReleases([coredns("unknown", "paused")])).toThrow(
      'helm reports the status "paused", which this version does not know',
    ));
  const LIST = JSON.stringify([
    { name: "coredns", namespace: "kube-system", enabled: true, installed: true, labels: "", chart: "oci://x/coredns", version: "1.47.0" },
  ]);
  const answers = {
    "kubectl get --raw": "ok",
    "helmfile --file bootstrap/helmfile.d/01-apps.yaml list": LIST,
    "helm list": "[]",
    "kubectl get helmreleases": '{"items":[]}',
  };
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
      "ask helm list --all-namespaces --deployed --failed --pending --uninstalling --superseded --uninstalled --output json",
      "ask kubectl get helmreleases.helm.toolkit.fluxcd.io --all-namespaces --output json",
    ]);
  });
});

describe("an API server that is away for a moment", () => {
  const REFUSED = {
    code: 1,
    err: "The connection to the server 192.168.120.100:6443 was refused - did you specify the right host or port?",
  };
  test("is asked again", async () => {
    const run = await record({ answers: { "kubectl get nodes": [REFUSED, REFUSED, '{"items":[]}'] } });
    expect(await getAllKnown(await expectOurCluster(run.context), "nodes")).toEqual([]);
    expect(run.commands.length).toBe(3);
  });
  test("is given up after five times", async () => {
    const run = await record({ answers: { "kubectl get nodes": REFUSED } });
    await expect(getAllKnown(await expectOurCluster(run.context), "nodes")).rejects.toThrow(
      "could not list nodes of the cluster\n  said: The connection to the server",
    );
    expect(run.commands.length).toBe(5);
  });
  test("is not asked again when it answers no", async () => {
    const run = await record({ answers: { "kubectl get nodes": { code: 1, err: "Error from server (Forbidden): nodes is forbidden" } } });
    await expect(getAllKnown(await expectOurCluster(run.context), "nodes")).rejects.toThrow(
      "could not list nodes of the cluster\n  said: Error from server (Forbidden): nodes is forbidden",
    );
    expect(run.commands.length).toBe(1);
  });
  test("has no kind that its definition has not brought yet", async () => {
    const run = await record({
      answers: { "kubectl get": { code: 1, err: `error: the server doesn't have a resource type "helmreleases"` } },
    });
    expect(await getAllKnown(await expectOurCluster(run.context), "helmreleases")).toBeUndefined();
  });
});

describe("a release that is brought", () => {
  const CONFIG =
    "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://192.168.120.100:6443', certificate-authority-data: QUJD}}]";
  const WANTED = JSON.stringify([
    { name: "coredns", namespace: "kube-system", enabled: true, installed: true, labels: "", chart: "oci://x/coredns", version: "1.47.0" },
  ]);
  const has = (status: string, updated: Date, revision = "1") =>
    JSON.stringify([
      {
        name: "coredns",
        namespace: "kube-system",
        status,
        revision,
        chart: "coredns-1.47.0",
        updated: `${updated.toISOString().replace("T", " ").replace("Z", "")} +0000 UTC`,
      },
    ]);
  const OLD = new Date(Date.now() - 20 * 60_000);
  const PLANNED = [
    { action: "uninstall what a failed install left of", target: "kube-system/coredns", destroys: true },
    { action: "roll back", target: "kube-system/coredns", destroys: true },
  ];
  const bring = async (list: Answer[], sync: Answer[], flux = '{"items":[]}', planned: Step[] = PLANNED) => {
    const folder = mkdtempSync(join(tmpdir(), "apps-"));
    writeFileSync(join(folder, "kubeconfig"), CONFIG);
    const run = await record({
      answers: {
        "kubectl get --raw /readyz": "ok",
        "helmfile --file bootstrap/helmfile.d/01-apps.yaml list": WANTED,
        "helm list": ["[]", ...list],
        "helmfile --file bootstrap/helmfile.d/01-apps.yaml --selector": sync,
        "helm uninstall": "",
        "helm rollback": "",
        "kubectl get helmreleases": flux,
      },
      env: { KUBECONFIG: join(folder, "kubeconfig") },
      secrets: () => "QUJD",
    });
    const seen = await apps.observe(run.context); // it was absent when the plan was made
    const error = await apps.act(run.context, seen, planned).catch((thrown: unknown) => thrown);
    return { error, acts: run.commands.filter((line) => line.startsWith("act ")) };
  };
  const SYNC = "act helmfile --file bootstrap/helmfile.d/01-apps.yaml --selector name=coredns sync --hide-notes";
  const UNINSTALL = "act helm uninstall coredns --namespace kube-system --wait --timeout 5m";
  test("is installed when it is absent", async () => expect(await bring(["[]"], [""])).toEqual({ error: undefined, acts: [SYNC] }));
  test("is left alone when it is deployed", async () =>
    expect(await bring([has("deployed", OLD)], [""])).toEqual({ error: undefined, acts: [] }));
  test("is waited for while its helm is at work, and then left alone", async () =>
    expect(await bring([has("pending-install", new Date()), has("deployed", new Date())], [""])).toEqual({ error: undefined, acts: [] }));
  test("is taken away first when its helm died", async () =>
    expect(await bring([has("pending-install", OLD)], [""])).toEqual({ error: undefined, acts: [UNINSTALL, SYNC] }));
  test("is uninstalled to the end when the helm that uninstalled it died, and only when the plan named that", async () => {
    const finish = { action: "finish the uninstall of", target: "kube-system/coredns", destroys: true };
    expect((await bring([has("uninstalling", OLD)], [""], undefined, [finish])).acts).toEqual([UNINSTALL, SYNC]);
    const { error, acts } = await bring([has("uninstalling", OLD)], [""]);
    expect([acts, String(error)]).toEqual([[], expect.stringContaining("said: finish the uninstall of kube-system/coredns")]);
  });
  test("is waited for while somebody uninstalls it", async () =>
    expect((await bring([has("uninstalling", new Date()), "[]"], [""])).acts).toEqual([SYNC]));
  test("is not taken away when the plan did not name that", async () => {
    const { error, acts } = await bring([has("pending-install", OLD)], [""], undefined, []);
    expect(acts).toEqual([]);
    expect(String(error)).toContain(
      "could not continue bootstrap:apps: the plan did not name this\n  said: uninstall what a failed install left of kube-system/coredns\n  now:  none of it was done\n  next: task bootstrap:apps shows it and asks",
    );
  });
  test("is rolled back, never taken away, when its helm died in an upgrade", async () =>
    expect((await bring([has("pending-upgrade", OLD, "3"), has("deployed", new Date())], [""])).acts).toEqual([
      "act helm rollback coredns --namespace kube-system --wait --timeout 5m",
      SYNC,
    ]));
  test("is left to Flux once Flux keeps it", async () => {
    const kept = JSON.stringify({ items: [{ kind: "HelmRelease", metadata: { name: "coredns", namespace: "kube-system" }, spec: {} }] });
    expect(await bring([has("pending-upgrade", OLD, "3")], [""], kept)).toEqual({ error: undefined, acts: [] });
  });
  test("is looked at again when helm says that another is at work", async () =>
    expect(
      await bring(
        ["[]", has("pending-install", OLD)],
        [{ code: 1, err: "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress" }, ""],
      ),
    ).toEqual({ error: undefined, acts: [SYNC, UNINSTALL, SYNC] }));
  test("is tried again after a busy registry", async () =>
    expect((await bring(["[]"], [{ code: 1, err: "unexpected status from HEAD request: 503 Service Unavailable" }, ""])).acts).toEqual([
      SYNC,
      SYNC,
    ]));
  test("is not tried again with a value that is wrong", async () => {
    const { error, acts } = await bring(["[]"], [{ code: 1, err: "Error: execution error at (coredns/templates/x.yaml): wrong" }]);
    expect(acts).toEqual([SYNC]);
    expect(String(error)).toContain("could not install kube-system/coredns 1.47.0\n  said: Error: execution error");
  });
});
