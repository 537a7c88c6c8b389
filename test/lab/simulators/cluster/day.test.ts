// The cluster of the simulated home from its first node to everything that Flux applies being ready, by the commands of the bootstrap.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { flux } from "../../../simulators/cli/flux/flux.ts";
import { helm } from "../../../simulators/cli/helm/helm.ts";
import { helmfile } from "../../../simulators/cli/helmfile/helmfile.ts";
import { kubectl } from "../../../simulators/cli/kubectl/kubectl.ts";
import { normalised, nodeReady, pending } from "../../../simulators/world/cluster/cluster.ts";
import type { Fault } from "../../../simulators/world/faults.ts";
import { type ClusterWorld, clusterWorld, PROJECT } from "./cluster-world.ts";

const APPS = ["cilium", "coredns", "spegel", "cert-manager", "external-secrets", "flux-operator", "flux-instance"];
/** Every release that the tree asks for: each is called as its application's folder. */
const RELEASES = readdirSync(join(PROJECT, "kubernetes/apps"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith("/app/helmrelease.yaml"))
  .map((file) => file.split("/")[1]!)
  .sort();
const FLUX_KINDS =
  "fluxinstances.fluxcd.controlplane.io,gitrepositories.source.toolkit.fluxcd.io,ocirepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io,helmreleases.helm.toolkit.fluxcd.io";
const RESOURCES = `${["cert-manager", "external-secrets", "flux-system", "kube-system"].map((name) => `---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`).join("")}---
apiVersion: v1
kind: Secret
metadata:
  name: onepassword-secret
  namespace: external-secrets
stringData:
  token: abc
`;

let home: ClusterWorld;
const open = async (faults: Partial<Record<Fault, number>> = {}) => {
  home?.end();
  home = await clusterWorld(faults);
};
beforeEach(() => open());
afterEach(() => home.end());

const apply = (text: string) =>
  home.run(kubectl, "apply --server-side --force-conflicts --field-manager home-ops-bootstrap --filename -", text);
const sync = (name: string) => home.run(helmfile, `--file bootstrap/helmfile.d/01-apps.yaml --selector name=${name} sync --hide-notes`);
const definitions = async () =>
  (await home.run(helmfile, "--file bootstrap/helmfile.d/00-crds.yaml --quiet template --include-crds --no-hooks")).out;
const releases = async () =>
  JSON.parse(
    (await home.run(helm, "list --all-namespaces --deployed --failed --pending --uninstalling --superseded --uninstalled --output json"))
      .out,
  ) as Record<string, string>[];

async function prepare(): Promise<void> {
  home.settle();
  await apply(RESOURCES);
  await apply(await definitions());
  home.settle();
}

const notReady = async () => {
  const { items } = JSON.parse((await home.run(kubectl, `get ${FLUX_KINDS} --all-namespaces --output json`)).out);
  return items
    .filter(({ status }: any) => status?.conditions?.[0]?.status !== "True")
    .map(
      ({ kind, metadata, status }: any) =>
        `${kind}/${metadata.name} ${status?.conditions?.[0]?.reason} ${status?.conditions?.[0]?.message}`,
    );
};

test("the whole day ends with everything ready, and then nothing changes any more", async () => {
  expect(await home.run(kubectl, "get --raw /readyz")).toEqual({ code: 0, out: "ok", err: "" });
  await prepare();
  expect([nodeReady(home.world.state, "k8s-0"), nodeReady(home.world.state, "k8s-9")]).toEqual([false, undefined]);
  for (const name of APPS) expect(await sync(name)).toMatchObject({ code: 0, out: "" });
  expect(nodeReady(home.world.state, "k8s-0")).toBe(true);
  home.settle();
  expect(await notReady()).toEqual([]);
  expect((await releases()).map(({ name, status }) => `${name} ${status}`)).toEqual(RELEASES.map((name) => `${name} deployed`));
  // helm-controller writes the artifact's digest behind the chart's version
  expect((await releases()).find(({ name }) => name === "cert-manager")!.chart).toMatch(/^cert-manager-1\.21\.1\+[0-9a-f]{12}$/);
  expect(
    (await home.run(kubectl, "get clustersecretstores.external-secrets.io onepassword --output jsonpath={.status.conditions[0].reason}"))
      .out,
  ).toBe("Valid");
  expect(pending(home.world)).toBe(false);
  const { length } = home.world.changes;
  home.pass(500);
  expect(home.world.changes.length).toBe(length);
  expect(JSON.stringify(normalised(home.world))).not.toMatch(/creationTimestamp|resourceVersion/);
  for (const object of (normalised(home.world) as { objects: object[] }).objects) expect(object).not.toHaveProperty("uid");
});

test("the end state is the same on another day", async () => {
  const days: unknown[] = [];
  for (let day = 0; day < 2; day += 1) {
    await open();
    await prepare();
    for (const name of APPS) expect(await sync(name)).toMatchObject({ code: 0, out: "" });
    home.settle();
    days.push(normalised(home.world));
  }
  expect(days[0]).toEqual(days[1]);
});

test("a chart that comes before Cilium cannot become ready, and says so in helm's words", async () => {
  await prepare();
  const said = await sync("coredns");
  expect(said).toMatchObject({ code: 1, err: expect.stringContaining("Error: resource Deployment/kube-system/coredns not ready") });
  expect((await releases()).map(({ name, status }) => `${name} ${status}`)).toEqual(["coredns failed"]);
  await sync("cilium");
  expect(await sync("coredns")).toMatchObject({ code: 0 });
});

test("helm tells the manifest of a release: what its templates rendered, without helm's own annotations", async () => {
  await prepare();
  await sync("cilium");
  const { out, code } = await home.run(helm, "get manifest cilium --namespace kube-system");
  expect(code).toBe(0);
  expect(out).toMatch(/^---\napiVersion: /);
  expect(out).toContain("kind: DaemonSet\n");
  expect(out).not.toMatch(/meta\.helm\.sh|kind: CustomResourceDefinition/);
  expect(await home.run(helm, "get manifest nothing --namespace kube-system")).toEqual({
    code: 1,
    out: "",
    err: "Error: release: not found\n",
  });
});

test("a release is pending as long as its helm waits", async () => {
  await prepare();
  const helmAtWork = sync("cilium");
  const seen = async () => (await releases()).map(({ name, status }) => `${name} ${status}`);
  await vi.waitUntil(async () => (await seen()).includes("cilium pending-install"), { interval: 1 });
  expect(await helmAtWork).toMatchObject({ code: 0 });
  expect(await seen()).toEqual(["cilium deployed"]);
});

test("a chart with a ServiceMonitor needs its definition first, and every chart its namespace", async () => {
  home.settle();
  expect((await sync("cert-manager")).err).toContain('namespaces "cert-manager" not found');
  await apply(RESOURCES);
  expect((await sync("cilium")).err).toContain('no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1"');
});

test("a release that was left pending is in the way until it is taken away", async () => {
  await open({ "helm-stuck": 1 });
  await prepare();
  await sync("cilium");
  expect((await sync("coredns")).err).toContain("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress");
  expect((await releases()).find(({ name }) => name === "coredns")).toMatchObject({ status: "pending-install" });
  expect(await home.run(helm, "uninstall coredns --namespace kube-system --wait --timeout 5m")).toEqual({
    code: 0,
    out: 'release "coredns" uninstalled\n',
    err: "",
  });
  expect(await sync("coredns")).toMatchObject({ code: 0 });
});

test("registries and the API server that are away are named", async () => {
  await open({ "registry-flaps": 6, "api-server-flaps": 1 });
  expect(await home.run(kubectl, "get nodes --output json")).toEqual({
    code: 1,
    out: "",
    err: expect.stringMatching(/^The connection to the server .*:6443 was refused - did you specify the right host or port\?\n$/),
  });
  expect((await sync("cilium")).err).toContain("response status code 503");
  home.world.state.faults["api-server-flaps"] = 1;
  expect((await home.run(helm, "list --all-namespaces --output json")).err).toMatch(
    /^Error: kubernetes cluster unreachable: Get "https:.*connect: connection refused\n$/,
  );
});

test("an app that fails keeps its Kustomization from being ready until it is mended", async () => {
  await open({ "flux-app-fails": 1 });
  await prepare();
  for (const name of APPS) expect(await sync(name)).toMatchObject({ code: 0, out: "" });
  home.settle();
  expect(await notReady()).toEqual([expect.stringContaining("Kustomization/spegel HealthCheckFailed")]);
  home.world.state.faults["flux-app-fails"] = 0;
  home.settle();
  expect(await notReady()).toEqual([]);
});

test("flux reconciles what it is asked to, and then is quiet again", async () => {
  await prepare();
  for (const name of APPS) expect(await sync(name)).toMatchObject({ code: 0, out: "" });
  home.settle();
  const said = await home.run(flux, "reconcile kustomization cluster-apps --with-source");
  expect(said).toMatchObject({ code: 0, err: expect.stringContaining("✔ applied revision refs/heads/main@sha1:") });
  home.settle();
  expect(pending(home.world)).toBe(false);
});
