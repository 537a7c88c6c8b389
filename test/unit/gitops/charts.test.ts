// The values of every release against what its chart knows, and against what a cold start on Talos needs.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chartPaths, factsByChart, strayValues } from "./chart-values.ts";
import { documentsOf, folderOf, ofKind, read, releasesOf, ROOT } from "./tree.ts";

const RELEASES = ofKind("HelmRelease", "helm.toolkit.fluxcd.io");
const FACTS = factsByChart(
  readdirSync(join(ROOT, "scripts/lint/schemas/charts"))
    .filter((name) => name.endsWith(".txt"))
    .map((name) => read(`scripts/lint/schemas/charts/${name}`)),
);
/** Switches of a chart's newer version: what is known of it was read at an older one. */
const NEWER: Record<string, string[]> = { openebs: ["lvm-localpv.enabled", "mayastor.enabled", "minio", "zfs-localpv.enabled"] };
const valuesOf = (namespace: string, app: string) =>
  documentsOf(`kubernetes/apps/${namespace}/${app}/app/helmrelease.yaml`)[0]!.object.spec.values;

describe("values are known to the chart", () => {
  it.each(RELEASES.map((one) => [one.name, one] as const))("%s", (name, { object, file }) => {
    const [chart] = documentsOf(`${folderOf(file)}/ocirepository.yaml`);
    const facts = FACTS.get(chart!.object.spec.url); // of whatever version: a newer one must not fail for that alone
    expect(facts, `${name}: nothing is known of ${chart!.object.spec.url}`).toBeDefined();
    expect(strayValues(object.spec.values, chartPaths(facts!))).toEqual((NEWER[name] ?? []).map((path) => `${path} is unknown`));
  });

  it("a misspelt key is found below names that the person chooses", () => {
    const known = chartPaths(read("scripts/lint/schemas/charts/app-template.txt"));
    const app = (container: object) => ({ controllers: { echo: { containers: { app: container } } } });
    expect(strayValues(app({ image: { repository: "x", tag: "1" }, env: { TZ: "UTC" } }), known)).toEqual([]);
    expect(strayValues(app({ image: { repo: "x" } }), known)).toEqual(["controllers.echo.containers.app.image.repo is unknown"]);
  });

  it("a misspelt key and a wrong kind are found", () => {
    const known = chartPaths(read("scripts/lint/schemas/charts/cilium.txt"));
    expect(
      strayValues(
        { cgroup: { automount: { enabled: false } }, devices: 1, rollOutCiliumPods: "yes", resources: { limits: { memory: "1Gi" } } },
        known,
      ),
    ).toEqual([
      "cgroup.automount is unknown",
      "devices is a int, the chart takes list|string",
      "rollOutCiliumPods is a string, the chart takes bool",
    ]);
  });
});

it("no value of what bootstrap installs waits for Flux to substitute it: helmfile reads values as they stand", () => {
  const releases = releasesOf("bootstrap/helmfile.d/01-apps.yaml");
  for (const { namespace, name } of releases) {
    const { values } = documentsOf(`kubernetes/apps/${namespace}/${name}/app/helmrelease.yaml`)[0]!.object.spec;
    expect(JSON.stringify(values), name).not.toMatch(/\$\{[A-Z]/);
  }
  expect(releases).toHaveLength(7);
});

describe("Cilium on Talos", () => {
  const values = valuesOf("kube-system", "cilium");

  it("reaches the API by KubePrism, not by an address that it would serve itself", () => {
    expect(values).toMatchObject({ k8sServiceHost: "127.0.0.1", k8sServicePort: 7445, kubeProxyReplacement: true });
  });
  it("mounts no cgroup and loads no module: Talos does both", () => {
    expect(values.cgroup).toEqual({ autoMount: { enabled: false }, hostRoot: "/sys/fs/cgroup" });
    expect(Object.values(values.securityContext.capabilities).flat()).not.toContain("SYS_MODULE");
  });
  it("installs before there is a Prometheus to ask for its kinds", () => {
    expect(values.prometheus.serviceMonitor.trustCRDsExist).toBe(true);
  });
  it("announces the gateways on the NIC of either hypervisor, and on nothing else", () => {
    const [policy] = documentsOf("kubernetes/apps/kube-system/cilium/config/ciliuml2announcementpolicy.yaml");
    const patterns = (policy!.object.spec.interfaces as string[]).map((pattern) => new RegExp(pattern));
    const announces = (name: string) => patterns.some((pattern) => pattern.test(name));
    const attaches = (name: string) => (values.devices as string[]).some((device) => name.startsWith(device.slice(0, -1)));
    for (const name of ["eth0", "enp0s3", "ens3", "eno1"]) expect([announces(name), attaches(name)], name).toEqual([true, true]);
    for (const name of ["lo", "lxc12ab", "cilium_host", "dummy0"]) expect([announces(name), attaches(name)], name).toEqual([false, false]);
    expect(values.l2announcements.enabled).toBe(true);
  });
});

it("CoreDNS keeps the names of pods that autopath needs, and asks it before the world", () => {
  const plugins = valuesOf("kube-system", "coredns").servers[0].plugins as { name: string; configBlock?: string }[];
  const order = plugins.map(({ name }) => name);
  expect(plugins.find(({ name }) => name === "kubernetes")!.configBlock).toContain("pods verified");
  expect([order.indexOf("kubernetes"), order.indexOf("autopath"), order.indexOf("forward")]).toEqual([3, 4, 5]);
});

it("Spegel writes where Talos' containerd reads", () => {
  expect(valuesOf("kube-system", "spegel").spegel.containerdRegistryConfigPath).toBe("/etc/cri/conf.d/hosts");
});

it("cert-manager brings its own kinds: bootstrap does not", () => {
  expect(valuesOf("cert-manager", "cert-manager").crds.enabled).toBe(true);
});

it("Flux decrypts with the key that bootstrap brings", () => {
  expect(JSON.stringify(valuesOf("flux-system", "flux-instance").instance.kustomize)).toContain("--sops-age-secret=sops-age-secret");
});
