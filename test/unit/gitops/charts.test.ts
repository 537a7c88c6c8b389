// The values of releases against what a cold start on Talos needs. That a chart knows them, lint:kubernetes proves.
import { describe, expect, it } from "vitest";
import { documentsOf, releasesOf } from "./tree.ts";

const valuesOf = (namespace: string, app: string) =>
  documentsOf(`kubernetes/apps/${namespace}/${app}/app/helmrelease.yaml`)[0]!.object.spec.values;

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
