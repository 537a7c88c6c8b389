// Helm releases against what the helmfile wants; manifests as text; what Flux says of itself.
import { describe, expect, test } from "vitest";
import { summarize } from "../../../scripts/lib/flux/flux.ts";
import { compareReleases, type Installed } from "../../../scripts/lib/kubernetes/helm.ts";
import { isTransient } from "../../../scripts/lib/run/transient.ts";
import { isReady, type KubernetesObject, mayPass, whyNotReady } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { customResourceDefinitions, documents, headOf } from "../../../scripts/lib/kubernetes/manifests.ts";
import { readiness } from "../../../scripts/lib/kubernetes/node-readiness.ts";

const WANTED = [{ name: "cilium", namespace: "kube-system", chart: "oci://quay.io/cilium/charts/cilium", version: "1.20.1" }];
const has = (change: Partial<Installed>): Installed[] => [
  {
    name: "cilium",
    namespace: "kube-system",
    status: "deployed",
    chart: "cilium-1.20.1",
    updated: "2026-01-02 03:04:05.678901 +0000 UTC",
    revision: "1",
    ...change,
  },
];
const minutesLater = (minutes: number) => Date.parse("2026-01-02T03:04:05Z") + minutes * 60_000;
const is = (installed: Installed[], minutes = 1, kept: string[] = []) =>
  compareReleases(WANTED, { installed, kept: new Set(kept) }, minutesLater(minutes), 11 * 60_000)[0]!.is;

describe("a release", () => {
  test("that Flux keeps is Flux's, of whatever version and in whatever state", () => {
    for (const change of [{ chart: "cilium-1.21.0" }, { status: "failed" }, { status: "pending-upgrade", revision: "7" }])
      expect(is(has(change), 60, ["kube-system/cilium"])).toBe("flux");
  });
  test("that Flux keeps but that is not there is absent", () => expect(is([], 1, ["kube-system/cilium"])).toBe("absent"));
  test("whose helm died in an upgrade is halfway, never taken away", () =>
    expect(is(has({ status: "pending-upgrade", revision: "3" }), 60)).toBe("halfway"));
  test("whose helm died in a rollback is halfway too", () =>
    expect(is(has({ status: "pending-rollback", revision: "4" }), 60)).toBe("halfway"));
  test("that a helm uninstalls is in a state of its own, while that helm may live and after it has died", () => {
    expect(is(has({ status: "uninstalling", revision: "3" }), 10)).toBe("uninstalling");
    expect(is(has({ status: "uninstalling", revision: "3" }), 12)).toBe("half removed");
  });
  test("whose first install was tried over an earlier failure is stuck, not halfway", () =>
    expect(is(has({ status: "pending-install", revision: "2" }), 60)).toBe("stuck"));
  test("whose newest revision is gone is outdated: an upgrade continues from the one that is left", () =>
    expect(is(has({ status: "superseded" }))).toBe("outdated"));
  test("that was uninstalled with its history kept is absent", () => expect(is(has({ status: "uninstalled" }))).toBe("absent"));
  test.each(["unknown", "paused", ""])("with the status %j is unknown, never one that failed", (status) =>
    expect(is(has({ status }), 60)).toBe("unknown"),
  );
  test("whose time cannot be read is not given up", () => expect(is(has({ status: "pending-install", updated: "" }), 60)).toBe("pending"));
  test("that is not there is absent", () => expect(is([])).toBe("absent"));
  test("of the same name in another namespace is absent", () => expect(is(has({ namespace: "default" }))).toBe("absent"));
  test("of the wanted version is deployed", () => expect(is(has({}))).toBe("deployed"));
  test("that Flux has taken over, with the artifact's digest behind its version, is deployed", () =>
    expect(is(has({ chart: "cilium-1.20.1+1dd0e4f2d977" }))).toBe("deployed"));
  test.each(["cert-manager-v1.21.1", "cert-manager-1.21.1+1dd0e4f2d977"])("%s is v1.21.1", (chart) =>
    expect(
      compareReleases([{ ...WANTED[0]!, version: "v1.21.1" }], { installed: has({ chart }), kept: new Set() }, minutesLater(1), 0)[0]!.is,
    ).toBe("deployed"),
  );
  test("of another version that Flux has taken over is outdated", () =>
    expect(is(has({ chart: "cilium-1.20.0+1dd0e4f2d977" }))).toBe("outdated"));
  test("of another version is outdated", () => expect(is(has({ chart: "cilium-1.19.0" }))).toBe("outdated"));
  test("whose last try failed is failed", () => expect(is(has({ status: "failed" }))).toBe("failed"));
  test("that is pending still has its helm at work", () => expect(is(has({ status: "pending-install" }), 10)).toBe("pending"));
  test("that is pending longer than helm waits is stuck", () => expect(is(has({ status: "pending-install" }), 12)).toBe("stuck"));
  test("keeps the zone of helm's time", () =>
    expect(is(has({ status: "pending-install", updated: "2026-01-02 05:04:05.6 +0200 EET" }), 12)).toBe("stuck"));
});

test.each([
  ["Error: unexpected status from HEAD request to https://quay.io/v2/: 503 Service Unavailable", true],
  ["dial tcp 1.2.3.4:443: i/o timeout", true],
  ["Post https://192.168.120.100:6443: EOF", true],
  ["toomanyrequests: 429 Too Many Requests", true],
  ["Error: quay.io/cilium/charts/cilium:9.9.9: not found", false],
  ["403 denied: requested access to the resource is denied", false],
  ["Error: execution error at (cilium/templates/validate.yaml): k8sServiceHost is required", false],
  ["release cilium failed: context deadline exceeded: 2 pods not ready", false],
])("worth another try: %s → %s", (said, worth) => expect(isTransient(said)).toBe(worth));

describe("manifests as text", () => {
  const CRD =
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    name: not-this\n  labels:\n    name: nor-this\n  name: a.example.com\nspec:\n  names: {kind: A}";
  test("are split at separators, with or without a comment, and empty ones are left out", () =>
    expect(documents(`---\n# Source: x\n---\n${CRD}\n--- # next\na: 1\n---\n`)).toEqual([CRD, "a: 1"]));
  test("a separator inside a text block is none", () => expect(documents("a: |\n  ---\n  x")).toHaveLength(1));
  test("know their kind and their own name", () =>
    expect(headOf(CRD)).toEqual({ kind: "CustomResourceDefinition", name: "a.example.com" }));
  test("without a name have no head", () => expect(headOf("kind: List\nitems: []")).toBeUndefined());
  test("hold each definition once, and nothing but definitions", () =>
    expect(customResourceDefinitions(`${CRD}\n---\nkind: Deployment\nmetadata:\n  name: x\n---\n${CRD}`).map(({ name }) => name)).toEqual([
      "a.example.com",
    ]));
});

const object = (
  change: Partial<KubernetesObject> & { ready?: string; reason?: string; message?: string; name?: string },
): KubernetesObject => ({
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: change.name ?? "cilium", namespace: "kube-system", generation: 2 },
  ...(change.spec && { spec: change.spec }),
  ...(change.ready && {
    status: {
      observedGeneration: 2,
      conditions: [
        {
          type: "Ready",
          status: change.ready,
          ...(change.reason && { reason: change.reason }),
          ...(change.message && { message: change.message }),
        },
      ],
    },
  }),
  ...(change.status && { status: change.status }),
});

describe("Flux", () => {
  test("counts what is ready, and names the cause before what waits for it", () =>
    expect(
      summarize([
        object({ ready: "True" }),
        object({ name: "b", ready: "False", reason: "DependencyNotReady", message: "dependency 'a' is not ready" }),
        object({ name: "a", ready: "False", reason: "BuildFailed", message: "no such file" }),
      ]),
    ).toEqual({
      ready: 1,
      total: 3,
      waiting: [
        "Kustomization kube-system/a: BuildFailed: no such file",
        "Kustomization kube-system/b: DependencyNotReady: dependency 'a' is not ready",
      ],
    }));
  test("a status of an older generation is not ready", () =>
    expect(isReady(object({ status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] } }))).toBe(false));
  test("a suspended object says so", () =>
    expect(whyNotReady(object({ spec: { suspend: true } }))).toBe("Kustomization kube-system/cilium: suspended"));
  test("an object without status says so", () =>
    expect(whyNotReady(object({}))).toBe("Kustomization kube-system/cilium: has no status yet"));
});

describe("nodes", () => {
  const node = (name: string, status?: string): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    ...(status && { status: { conditions: [{ type: "Ready", status, reason: "KubeletNotReady" }] } }),
  });
  test("are ready when all expected are, strangers or not", () =>
    expect(readiness(["a", "b"], [node("a", "True"), node("b", "True"), node("c", "False")])).toEqual({ ready: 2 }));
  test("in any mix of states are each named", () =>
    expect(readiness(["a", "b", "c", "d"], [node("a", "True"), node("b", "Unknown"), node("c")])).toEqual({
      waiting: "b: KubeletNotReady, c: no status yet, d is not registered",
    }));
});

test.each([
  ["The connection to the server 192.168.120.100:6443 was refused - did you specify the right host or port?", true],
  ["Unable to connect to the server: dial tcp 192.168.120.100:6443: connect: no route to host", true],
  ["Error from server (Forbidden): nodes is forbidden", false],
  ["Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority", false],
])("may pass: %s → %s", (stderr, may) => expect(mayPass({ exitCode: 1, signal: null, stdout: "", stderr })).toBe(may));
