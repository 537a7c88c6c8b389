// The reference home, as tests see it.
import type { Cluster, ItemKey } from "../../scripts/lib/cluster/cluster.ts";
import { ITEM_KEYS, reference } from "../../scripts/lib/cluster/cluster.ts";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

const GiB = 1024 ** 3;

export const testVersions = { TALOS_VERSION: "v1.13.9", KUBERNETES_VERSION: "v1.36.5", FLUX_VERSION: "v2.9.4" };

/** A fresh copy of the reference home; `change` replaces what a test is about. */
export function testCluster(change: Partial<Cluster> = {}): Cluster {
  return {
    name: "home-ops-cluster",
    domain: "example.com",
    timezone: "America/New_York",
    endpoint: { url: "https://192.168.120.100:6443", address: "192.168.120.100", port: 6443 },
    network: {
      nodes: "192.168.120.0/22",
      pods: "10.42.0.0/16",
      services: "10.43.0.0/16",
      gateways: { from: "192.168.123.101", to: "192.168.123.149", internal: "192.168.123.140", external: "192.168.123.141" },
      mtu: 9000,
      ntp: ["192.168.120.1"],
      discovery: { enabled: true, registry: "http://192.168.123.152:3000" },
      bgp: { router: "192.168.123.254", routerAsn: 64540, asn: 64550 },
    },
    nodes: [
      { name: "k8s-0", vm: "k8s_0", address: "192.168.122.10", mac: "00:a0:98:28:c8:83", labels: {} },
      { name: "k8s-1", vm: "k8s_1", address: "192.168.122.11", mac: "00:a0:98:1a:f3:72", labels: {} },
      { name: "k8s-2", vm: "k8s_2", address: "192.168.122.12", mac: "00:a0:98:3e:6c:22", labels: {} },
    ],
    hypervisor: "truenas",
    truenas: { pool: "flashstor", vmDataset: "flashstor/VM", isoDataset: "flashstor/ISO", bridge: "br0" },
    vsphere: { datastore: "truenas-nfs", isoDatastore: "datastore1", network: "vl999" },
    vm: { cpus: 8, memory: 48 * GiB, bootDisk: 500 * 1000 ** 3, dataDisk: 1000 ** 4 },
    onepassword: {
      vault: "Infrastructure",
      items: Object.fromEntries(ITEM_KEYS.map((key) => [key, ITEMS[key] ?? key])) as Record<ItemKey, string>,
    },
    git: { url: "https://github.com/example/home-ops", branch: "main", owner: "example" },
    acme: { email: "operator@example.com", eabKeyId: "b1d1f8f0c7e4e2a9b3c5d6e7f8091124" },
    cloudflare: { tunnel: "00000000-0000-4000-8000-000000000000" },
    nas: { address: "192.168.120.10", exports: { kopia: "/mnt/flashstor/VolsyncKopia", media: "/mnt/flashstor/Media" } },
    unifi: { address: "192.168.120.6" },
    ...change,
  };
}

let folder: string | undefined;

/** The file of a kubeconfig that leads to a cluster, with the authority that the recorder's vault has unless a test says otherwise. */
export function kubeconfigFor(
  cluster: Cluster,
  { ca = `value of ${reference(cluster, "talos", "CLUSTER_CA_CRT")}`, server = cluster.endpoint.url, more = {} as object } = {},
): string {
  const { name } = cluster;
  folder ??= mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const file = join(folder, `${files++}`);
  writeFileSync(
    file,
    stringify({
      "current-context": "admin",
      contexts: [{ name: "admin", context: { cluster: name } }],
      clusters: [{ name, cluster: { server, "certificate-authority-data": ca, ...more } }],
    }),
  );
  return file;
}
let files = 0;

const ITEMS: Partial<Record<ItemKey, string>> = {
  connect: "1password",
  nas: "talosdeploy",
};
