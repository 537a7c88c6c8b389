// The validated contents of talos/cluster.yaml. Sizes are in bytes, addresses are canonical, MACs are lower case with colons.

export interface Cluster {
  name: string;
  domain: string;
  timezone: string;
  /** The VIP that the control planes share, and the API server's URL on it. */
  endpoint: { url: string; address: string; port: number };
  network: {
    nodes: string;
    pods: string;
    services: string;
    /** The range that Cilium hands out to gateways and other load balancers; both ends belong to it, and so do the addresses of the two gateways. */
    gateways: { from: string; to: string; internal: string; external: string };
    mtu: number;
    ntp: string[];
    /** Where nodes find each other. `registry` undefined = Talos' public service. */
    discovery: { enabled: boolean; registry?: string };
    /** Where a router learns the gateways' addresses by BGP. */
    bgp?: { router: string; routerAsn: number; asn: number };
  };
  nodes: Node[];
  hypervisor: Hypervisor;
  /** Only the section of the selected hypervisor is read; the other may hold empty strings. */
  truenas: { pool: string; vmDataset: string; isoDataset: string; bridge: string };
  vsphere: { datastore: string; isoDatastore: string; network: string };
  vm: { cpus: number; memory: number; bootDisk: number; dataDisk: number };
  /** `vault` is the one that the cluster's token reads; `operatorVault` holds what only the operator needs (absent: the same one). `renamed`: items of applications whose name differs from the one in kubernetes/. */
  onepassword: {
    vault: string;
    operatorVault?: string | undefined;
    items: Record<ItemKey, string>;
    renamed?: Record<string, string>;
  };
  git: { url: string; branch: string; owner: string };
  acme: { email: string; eabKeyId: string };
  cloudflare: { tunnel: string };
  /** `kopiaRepository`: the identity that the backup repository must have; absent before the first start. */
  nas: { address: string; exports: Record<string, string>; kopiaRepository?: string | undefined };
  /** Absent where there is no UniFi controller. */
  unifi?: { address: string };
}

export type Hypervisor = "truenas" | "vsphere";

export interface Node {
  /** Kubernetes' and Talos' name: k8s-0. */
  name: string;
  /** The VM's name, in letters that TrueNAS takes: k8s_0. */
  vm: string;
  address: string;
  mac: string;
  labels: Record<string, string>;
}

/** The 1Password items that only the operator's procedures read, by purpose. The cluster's token must not reach them. cluster.yaml has their names. */
export const ITEM_KEYS = ["talos", "sops", "connect", "nas", "esxi", "kubeconfig"] as const;
export type ItemKey = (typeof ITEM_KEYS)[number];

/** The default names of these items in the vault. */
export const ITEM_NAMES: Record<ItemKey, string> = {
  talos: "talos",
  sops: "sops",
  connect: "1password",
  nas: "talosdeploy",
  esxi: "esxi",
  kubeconfig: "kubeconfig",
};

/** The vault of these items. */
export const operatorVaultOf = ({ onepassword: { vault, operatorVault = vault } }: Pick<Cluster, "onepassword">) => operatorVault;

/** `op://vault/item/field` for a field of one of these items. */
export const reference = (cluster: Pick<Cluster, "onepassword">, item: ItemKey, field: string) =>
  `op://${operatorVaultOf(cluster)}/${cluster.onepassword.items[item]}/${field}`;

/** What differs between machines of one hypervisor and another (facts: a VirtIO disk is /dev/vda, VMware's NVMe is /dev/nvme0n1; a metal image names its NIC by slot). */
export const PLATFORM = {
  truenas: {
    platform: "metal",
    installer: "metal-installer",
    iso: "metal-amd64.iso",
    bootDisk: "/dev/vda",
    dataDisk: "/dev/vdb",
    guestAgent: "siderolabs/qemu-guest-agent",
  },
  vsphere: {
    platform: "vmware",
    installer: "vmware-installer",
    iso: "vmware-amd64.iso",
    bootDisk: "/dev/nvme0n1",
    dataDisk: "/dev/nvme1n1",
    guestAgent: "siderolabs/vmtoolsd-guest-agent",
  },
} as const;
