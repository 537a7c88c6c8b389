// The secrets of the platform below the applications: Talos, SOPS, 1Password Connect, the hypervisor. Those of applications are declared beside them.
import { type Cluster, type ItemKey, operatorVaultOf } from "../cluster/cluster.ts";
import { entriesOf, type Entry, type Group } from "./entry.ts";

const GROUPS: (Group & { item: ItemKey })[] = [
  {
    item: "talos",
    source: { init: "talos-bundle" },
    purpose: "machine configs, talosconfig: the cluster's identity",
    now: true,
    secret: [
      "MACHINE_CA_KEY",
      "MACHINE_TOKEN",
      "CLUSTER_CA_KEY",
      "CLUSTER_ID",
      "CLUSTER_SECRET",
      "CLUSTER_TOKEN",
      "CLUSTER_AGGREGATORCA_KEY",
      "CLUSTER_ETCD_CA_KEY",
      "CLUSTER_SECRETBOXENCRYPTIONSECRET",
      "CLUSTER_SERVICEACCOUNT_KEY",
    ],
    public: ["MACHINE_CA_CRT", "CLUSTER_CA_CRT", "CLUSTER_AGGREGATORCA_CRT", "CLUSTER_ETCD_CA_CRT"],
  },
  { item: "sops", source: { init: "age-key" }, purpose: "Flux decrypts *.sops.yaml", now: true, secret: ["SOPS_PRIVATE_KEY"] },
  {
    item: "connect",
    purpose: "External Secrets in the cluster",
    now: true,
    source: {
      person: {
        link: "https://developer.1password.com/docs/connect/get-started",
        steps:
          "op connect server create NAME --vaults VAULT (its 1password-credentials.json, whole), then op connect token create NAME --server NAME --vault VAULT,rw",
        rights: "read and write in onepassword.vault, never in onepassword.operatorVault",
      },
    },
    secret: ["OP_CREDENTIALS_JSON", "OP_CONNECT_TOKEN"],
  },
  {
    item: "nas",
    purpose: "talos:prepare-iso, vm:*",
    now: true,
    hypervisor: "truenas",
    source: {
      person: {
        link: "https://YOUR-NAS/ui/credentials/users/api-keys",
        steps:
          "host or host:port; the user; an API key of that user; the SHA-256 fingerprint of the NAS's certificate (AA:BB:…) or its CA as PEM",
        rights: "full administrator (uploading the ISO needs it)",
      },
    },
    secret: ["TRUENAS_API"],
    public: ["TRUENAS_HOST", "TRUENAS_USERNAME", "TRUENAS_CERTIFICATE"],
  },
  {
    item: "esxi",
    purpose: "talos:prepare-iso, vm:*",
    now: true,
    hypervisor: "vsphere",
    source: {
      person: {
        link: "https://YOUR-ESXI/ui/#/host/manage/security/users",
        steps: "the host's name, and a user of its own with a password",
        rights: "create, start and delete VMs; write to the datastores; use the port group",
      },
    },
    secret: ["password"],
    public: ["host", "username"],
  },
  {
    item: "kubeconfig",
    source: { task: "task talos:kubeconfig UPLOAD=1" },
    purpose: "a copy for other machines, only when asked",
    secret: ["kubeconfig"],
  },
];

/** The secrets of the platform, without those of an unused hypervisor, in the order in which an operator works through them. */
export function platformEntries(cluster: Pick<Cluster, "onepassword" | "hypervisor">): Entry[] {
  const vault = operatorVaultOf(cluster);
  const { items } = cluster.onepassword;
  return GROUPS.filter(({ hypervisor = cluster.hypervisor }) => hypervisor === cluster.hypervisor).flatMap(({ item, ...group }) =>
    entriesOf({ vault, item: items[item] }, group),
  );
}
