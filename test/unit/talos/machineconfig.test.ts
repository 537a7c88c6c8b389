// The machine configs as they are rendered: valid by Talos' own schema, the same bytes each time, and what the home relies on in them.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { configReferences, renderDocuments, renderNode } from "../../../scripts/lib/talos/render.ts";
import { type Document, titleOf } from "../../../scripts/lib/talos/merge.ts";
import { TALOS_FIELDS } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { renderTemplate } from "../../../scripts/lib/text/template.ts";
import { valuesOf } from "../../../scripts/lib/text/yaml.ts";
import { testCluster, testVersions } from "../test-cluster.ts";

const context = (change: Parameters<typeof testCluster>[0] = {}, secret = (reference: string) => `value of ${reference}`) => ({
  root: process.cwd(),
  cluster: testCluster(change),
  versions: testVersions,
  vault: { resolve: async (references: Iterable<string>) => new Map([...references].map((reference) => [reference, secret(reference)])) },
});
type Home = ReturnType<typeof context>;
/** The documents as Talos reads them. */
const render = async (home: Home, i = 0) => valuesOf(await renderDocuments(home, home.cluster.nodes[i]!));
const one = async (home: Home, title: string, i = 0) => (await render(home, i)).find((document) => titleOf(document) === title);
const main = async (home: Home, i = 0) => (await one(home, "v1alpha1", i)) as { machine: any; cluster: any };

const schema = JSON.parse(readFileSync("test/schemas/talos/v1.13.9.json", "utf8")) as {
  $id: string;
  $defs: Record<string, { properties?: Record<string, { enum?: string[] }> }>;
};
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(schema);
const kindOf = ({ kind }: Document) =>
  Object.keys(schema.$defs).find((name) =>
    kind === undefined ? name === "v1alpha1.Config" : schema.$defs[name]!.properties?.kind?.enum?.includes(String(kind)),
  );

describe.each(["truenas", "vsphere"] as const)("on %s", (hypervisor) => {
  test.each([0, 1, 2])("the config of node %i follows Talos' schema", async (i) => {
    const labelled = testCluster().nodes.map((node) => ({
      ...node,
      labels: { "topology.kubernetes.io/region": "main", "topology.kubernetes.io/zone": "1" },
    }));
    for (const document of await render(context({ hypervisor, nodes: labelled }), i)) {
      const validate = ajv.getSchema(`${schema.$id}#/$defs/${kindOf(document)}`)!;
      expect([titleOf(document), await validate(document), validate.errors]).toEqual([titleOf(document), true, null]);
    }
  });
  test("holds every field of the secrets bundle, and no other reference", async () =>
    expect(
      (await configReferences(context({ hypervisor }))).map((reference) => reference.replace("op://Infrastructure/talos/", "")).toSorted(),
    ).toEqual(TALOS_FIELDS.toSorted()));
});

test("the schema would refuse a key that Talos does not know", async () => {
  const validate = ajv.getSchema(`${schema.$id}#/$defs/v1alpha1.Config`)!;
  expect(validate({ machine: { type: "controlplane", nonsense: 1 } })).toBe(false);
});

describe("what follows the hypervisor", () => {
  test.each([
    ["truenas", "/dev/vda", "factory.talos.dev/metal-installer/c682c3b7e2747ecadb2b2f9eb73336e40373cfbe6f7ec588336ece6f3a1059cf:v1.13.9"],
    [
      "vsphere",
      "/dev/nvme0n1",
      "factory.talos.dev/vmware-installer/6886a62a32031814c59f70d6161bbd6ec94f666a89ea207ff034af24cb9d14f6:v1.13.9",
    ],
  ] as const)("%s: disk and installer", async (hypervisor, disk, image) =>
    expect((await main(context({ hypervisor }))).machine.install).toEqual({ disk, image, wipe: false }),
  );
  test.each([
    [
      "truenas",
      [
        "v1alpha1",
        "HostnameConfig",
        "LinkAliasConfig lan",
        "LinkConfig lan",
        "DHCPv4Config lan",
        "Layer2VIPConfig 192.168.120.100",
        "TimeSyncConfig",
      ],
    ],
    [
      "vsphere",
      [
        "v1alpha1",
        "HostnameConfig",
        "LinkAliasConfig lan",
        "LinkConfig lan",
        "DHCPv4Config lan",
        "Layer2VIPConfig 192.168.120.100",
        "TimeSyncConfig",
        "WatchdogTimerConfig",
        "EthernetConfig eth0",
      ],
    ],
  ] as const)("%s: documents", async (hypervisor, titles) => expect((await render(context({ hypervisor }))).map(titleOf)).toEqual(titles));
});

describe("what follows cluster.yaml", () => {
  test("the NIC is told by its MAC, never by a name", async () =>
    expect(await one(context(), "LinkAliasConfig lan", 2)).toMatchObject({
      selector: { match: 'mac(link.permanent_addr) == "00:a0:98:3e:6c:22"' },
    }));
  test("name, MTU, address and time servers", async () => {
    const home = context({ network: { ...testCluster().network, mtu: 1500, ntp: ["192.0.2.1", "time.example.com"] } });
    expect(await one(home, "HostnameConfig", 1)).toEqual({
      apiVersion: "v1alpha1",
      kind: "HostnameConfig",
      auto: "off",
      hostname: "k8s-1",
    });
    expect(await one(home, "LinkConfig lan")).toMatchObject({ mtu: 1500 });
    expect(await one(home, "Layer2VIPConfig 192.168.120.100")).toMatchObject({ link: "lan" });
    expect(await one(home, "TimeSyncConfig")).toMatchObject({ ntp: { servers: ["192.0.2.1", "time.example.com"] } });
  });
  test("networks", async () => {
    const { machine, cluster } = await main(context());
    expect(cluster.network).toEqual({
      cni: { name: "none" },
      dnsDomain: "cluster.local",
      podSubnets: ["10.42.0.0/16"],
      serviceSubnets: ["10.43.0.0/16"],
    });
    expect([machine.kubelet.nodeIP.validSubnets, cluster.etcd.advertisedSubnets]).toEqual([["192.168.120.0/22"], ["192.168.120.0/22"]]);
  });
  test("labels of the node, as texts", async () => {
    const nodes = [{ ...testCluster().nodes[0]!, labels: { "example.com/a": "true", zone: "m" } }];
    expect((await main(context({ nodes }))).machine.nodeLabels).toEqual({ "example.com/a": "true", zone: "m" });
    expect((await main(context())).machine).not.toHaveProperty("nodeLabels");
  });
  test("a name of digits stays a text", async () => {
    const home = context({ name: "2026", nodes: [{ ...testCluster().nodes[0]!, name: "007" }] });
    expect([(await main(home)).cluster.clusterName, (await one(home, "HostnameConfig"))!.hostname]).toEqual(["2026", "007"]);
  });
  test.each([
    [
      "its own registry",
      { enabled: true, registry: "http://192.0.2.9:3000" },
      { enabled: true, registries: { kubernetes: { disabled: true }, service: { endpoint: "http://192.0.2.9:3000" } } },
    ],
    ["Talos' public one", { enabled: true }, { enabled: true, registries: { kubernetes: { disabled: true } } }],
    ["none", { enabled: false }, { enabled: false, registries: { kubernetes: { disabled: true } } }],
  ])("discovery by %s", async (_, discovery, wanted) =>
    expect((await main(context({ network: { ...testCluster().network, discovery } }))).cluster.discovery).toEqual(wanted),
  );
  test("versions of every image", async () => {
    const { machine, cluster } = await main(context());
    expect([machine.kubelet.image, cluster.apiServer.image, cluster.controllerManager.image, cluster.scheduler.image]).toEqual([
      "ghcr.io/siderolabs/kubelet:v1.36.5",
      "registry.k8s.io/kube-apiserver:v1.36.5",
      "registry.k8s.io/kube-controller-manager:v1.36.5",
      "registry.k8s.io/kube-scheduler:v1.36.5",
    ]);
  });
});

describe("what the home relies on", () => {
  test("Talos' API is open to the pods that upgrade, to no others", async () =>
    expect((await main(context())).machine.features.kubernetesTalosAPIAccess).toEqual({
      enabled: true,
      allowedRoles: ["os:admin"],
      allowedKubernetesNamespaces: ["system-upgrade"],
    }));
  test("PodSecurity is baseline outside kube-system", async () => {
    const [{ name, configuration }] = (await main(context())).cluster.apiServer.admissionControl;
    expect([name, configuration.defaults.enforce, configuration.exemptions.namespaces]).toEqual([
      "PodSecurity",
      "baseline",
      ["kube-system"],
    ]);
  });
  test("containerd keeps layers for Spegel", async () => {
    const { files } = (await main(context())).machine;
    expect(files.map(({ path, op, permissions }: any) => [path, op, permissions])).toEqual([
      ["/etc/cri/conf.d/20-customization.part", "create", 0o644],
      ["/etc/nfsmount.conf", "overwrite", 0o644],
    ]);
    expect(files[0].content).toContain("discard_unpacked_layers = false");
  });
  test("KubePrism stands where Cilium looks for it", async () =>
    expect((await main(context())).machine.features.kubePrism).toEqual({ enabled: true, port: 7445 }));
  test("kube-proxy and CoreDNS come from elsewhere", async () =>
    expect([(await main(context())).cluster.proxy, (await main(context())).cluster.coreDNS]).toEqual([
      { disabled: true },
      { disabled: true },
    ]));
  test("from Talos 1.14 on files stand in documents of their own, with the same content", async () => {
    const old = (await main(context())).machine.files as { content: string }[];
    const home = { ...context(), versions: { ...testVersions, TALOS_VERSION: "v1.14.1" } };
    expect((await main(home)).machine).not.toHaveProperty("files");
    expect(await one(home, "CRICustomizationConfig spegel")).toMatchObject({ content: old[0]!.content });
    expect(await one(home, "EtcFileConfig nfsmount.conf")).toMatchObject({ mode: 0o644, contents: old[1]!.content });
  });
  test("a Talos that knows none of the template's documents is refused", async () => {
    const home = { ...context(), versions: { ...testVersions, TALOS_VERSION: "v1.11.6" } };
    expect(await render(home).catch((error: Error) => error.message)).toBe(
      "could not deploy Talos v1.11.6\n" +
        "  said: it does not support the documents in talos/machineconfig.yaml.njk: v1.12 or newer is needed (nodes of v1.11 can still be read)\n" +
        "  now:  nothing was changed\n" +
        "  next: set TALOS_VERSION in versions.env",
    );
  });
  test("nothing stands in v1alpha1 that Talos 1.13 has a document for, or ignores", async () => {
    const { machine } = await main(context());
    expect(Object.keys(machine)).not.toEqual(expect.arrayContaining(["network"]));
    for (const old of ["network", "time", "disks", "env", "registries", "systemDiskEncryption"]) expect(machine).not.toHaveProperty(old);
    for (const old of ["rbac", "stableHostname", "apidCheckExtKeyUsage"]) expect(machine.features).not.toHaveProperty(old);
  });
});

describe("the text that is sent", () => {
  test("is byte for byte the same for the same inputs", async () =>
    expect(await renderNode(context(), testCluster().nodes[1]!)).toBe(await renderNode(context(), testCluster().nodes[1]!)));
  test("differs between nodes in nothing but name and MAC", async () => {
    const [first, second] = [await renderNode(context(), testCluster().nodes[0]!), await renderNode(context(), testCluster().nodes[1]!)];
    expect(second.replace("k8s-1", "k8s-0").replace("00:a0:98:1a:f3:72", "00:a0:98:28:c8:83")).toBe(first);
  });
  test("has no reference left", async () =>
    expect(
      await renderNode(
        context({}, () => "secret"),
        testCluster().nodes[0]!,
      ),
    ).not.toContain("op://"));
  test.each(["yes", "0o17", "a: b", "x\ny\n", "{{ 7 * 7 }}", "- z", "op://a/b/c"])("holds the secret %j as that text", async (secret) => {
    const text = await renderNode(
      context({}, () => secret),
      testCluster().nodes[0]!,
    );
    const [document] = [...parseAllDocuments(text)].map((parsed) => parsed.toJS() as any);
    expect([document.machine.token, document.cluster.etcd.ca.key, document.machine.install.disk]).toEqual([secret, secret, "/dev/vda"]);
  });
  test("names the template when something is missing", async () => {
    const broken = { ...context(), versions: { TALOS_VERSION: "v1.13.9" } as typeof testVersions };
    expect(await renderNode(broken, testCluster().nodes[0]!).catch((error: Error) => error.message)).toMatch(
      /talos\/machineconfig\.yaml\.njk:\d+: undefined variable "versions\.KUBERNETES_VERSION"/,
    );
  });
  test("the schematic is a template too", async () =>
    expect(await renderTemplate(process.cwd(), "talos/schematic.yaml", { platform: { guestAgent: "x/y" } })).toContain('- "x/y"'));
});

describe("what one node needs besides", () => {
  const root = mkdtempSync(join(tmpdir(), "own-"));
  mkdirSync(join(root, "talos/nodes"), { recursive: true });
  for (const file of ["machineconfig.yaml.njk", "schematic.yaml"]) cpSync(join("talos", file), join(root, "talos", file));
  const own = (text: string) => writeFileSync(join(root, "talos/nodes/k8s-0.yaml.njk"), text);
  const home = { ...context(), root };

  test("stands in a file of its own and is merged over the others", async () => {
    own(
      "machine:\n  kernel:\n    modules:\n      - name: nvidia\n---\napiVersion: v1alpha1\nkind: LinkConfig\nname: lan\nmtu: {{ cluster.network.mtu - 8500 }}\n---\napiVersion: v1alpha1\nkind: UserVolumeConfig\nname: scratch\nvolumeType: directory\n",
    );
    expect((await main(home)).machine.kernel.modules.map(({ name }: { name: string }) => name)).toEqual([
      "nbd",
      "nvme_tcp",
      "uio_pci_generic",
      "vfio-pci",
      "nvidia",
    ]);
    expect(await one(home, "LinkConfig lan")).toMatchObject({ mtu: 500 });
    expect((await render(home)).map(titleOf).at(-1)).toBe("UserVolumeConfig scratch");
  });
  test("is nothing to the others", async () => expect(await render(home, 1)).toEqual(await render(context(), 1)));
});
