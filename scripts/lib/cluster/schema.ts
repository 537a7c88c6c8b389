// The schema of talos/cluster.yaml, for validation and as a JSON schema for editors. Only load.ts and the procedure that writes the JSON schema import it.
import { z } from "zod";
import { nearest } from "../text/nearest.ts";
import { ITEM_KEYS, ITEM_NAMES, type ItemKey } from "./cluster.ts";
import { readAddress, readDomain, readEndpoint, readHost, readMac, type Reading, readNetwork, readSize, readTimezone } from "./readings.ts";
import {
  readBranch,
  readClusterName,
  readDataset,
  readEmail,
  readExportName,
  readGithubOwner,
  readGitUrl,
  readInterface,
  readInventoryName,
  readKeyId,
  readLabelKey,
  readLabelValue,
  readPath,
  readPool,
  readRepositoryId,
  readUuid,
  readVaultName,
  readWebUrl,
} from "./typed-value.ts";

/** A string that `read` accepts. The value stays as typed; `clusterOf` reads it again. */
const text = (read: (typed: string) => Reading<unknown>, description: string, example: string) =>
  z
    .string()
    .superRefine((typed, context) => {
      const message = wrongOf(read(typed));
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ description, examples: [example] });

const wrongOf = (reading: Reading<unknown>) => ("wrong" in reading ? reading.wrong : undefined);

// Patterns for editors; the readers above decide.
const IPV4 = "(\\d{1,3}\\.){3}\\d{1,3}";
const address = (about: string, example: string) => text(readAddress, about, example).meta({ pattern: `^${IPV4}$` });
const network = (about: string, example: string) => text(readNetwork, about, example).meta({ pattern: `^${IPV4}/\\d{1,2}$` });
const host = (about: string, example: string) => text(readHost, about, example);
const size = (about: string, example: string) =>
  text(readSize, about, example).meta({ pattern: "^\\d+(\\.\\d+)? ?(MiB|GiB|TiB|MB|GB|TB)$" });
const whole = (about: string, from: number, to: number) => z.int().min(from).max(to).describe(about);

const node = z.strictObject({
  name: z.string().meta({
    description:
      "Kubernetes' and Talos' name of the node. Its VM has underscores for dashes, as TrueNAS takes no others: k8s-0 becomes k8s_0.",
    pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    examples: ["k8s-0"],
  }),
  address: address("The node's address. The router gives it to the MAC below (a DHCP reservation).", "192.168.122.10"),
  mac: text(readMac, "MAC address of the VM's network card", "00:a0:98:28:c8:83").meta({
    pattern: "^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$",
  }),
  labels: z
    .record(text(readLabelKey, "A label's key", "topology.kubernetes.io/zone"), text(readLabelValue, "A label's value", "m"))
    .default({})
    .describe("Labels of the node in Kubernetes"),
});

const truenas = z.strictObject({
  pool: text(readPool, "The pool", "flashstor"),
  vmDataset: text(readDataset, "The dataset under which each VM gets its zvols", "flashstor/VM"),
  isoDataset: text(readDataset, "The dataset for ISO files; TrueNAS does not take one that is the pool's root", "flashstor/ISO"),
  bridge: text(readInterface, "The bridge that the VMs' network cards are plugged into", "br0"),
});

const vsphere = z.strictObject({
  datastore: text(readInventoryName, "The datastore for the VMs' disks", "truenas-nfs"),
  isoDatastore: text(readInventoryName, "The datastore for ISO files", "datastore1"),
  network: text(readInventoryName, "The port group of the VMs' network cards", "VM Network"),
});

const item = (key: ItemKey) =>
  text(readVaultName, `What the item for ${key} is called in the vault`, ITEM_NAMES[key]).default(ITEM_NAMES[key]);

/** A key that is no word, or nearly that of an item of the operator. All others may belong to an application of kubernetes/. */
function refuseMistypedItems(items: Record<string, unknown>, context: z.RefinementCtx): void {
  const others = Object.keys(items).filter((key) => !ITEM_KEYS.includes(key as ItemKey));
  const keys = others.filter((key) => !/^[A-Za-z][\w-]*$/.test(key) || nearest(key, ITEM_KEYS, key.length > 4 ? 2 : 1) !== undefined);
  if (keys.length > 0) context.addIssue({ code: "unrecognized_keys", keys, input: items });
}

export const definition = z.strictObject({
  name: text(readClusterName, "The cluster's name, and that of its context in kubeconfig and talosconfig", "home-ops-cluster"),
  domain: text(readDomain, "The domain under which applications are reached", "example.com"),
  timezone: text(readTimezone, "The home's time zone", "Europe/Zurich").default("Etc/UTC"),
  endpoint: text(
    readEndpoint,
    "URL of the API server: the address that the control planes share (VIP), and the port",
    "https://192.168.120.100:6443",
  ),
  network: z
    .strictObject({
      nodes: network("The network that nodes, VIP and gateways are in", "192.168.120.0/22"),
      pods: network("Addresses of pods; each node gets a /24 of it", "10.42.0.0/16").default("10.42.0.0/16"),
      services: network("Addresses of Services", "10.43.0.0/16").default("10.43.0.0/16"),
      gateways: z
        .strictObject({
          from: address("The first", "192.168.123.101"),
          to: address("The last; it belongs to them", "192.168.123.149"),
          internal: address("The gateway for the home; the last but one when left out", "192.168.123.140").optional(),
          external: address("The gateway behind the tunnel; the last when left out", "192.168.123.141").optional(),
        })
        .describe("The addresses that Cilium hands out to gateways and other load balancers"),
      mtu: whole("What the switch takes; 9000 with jumbo frames", 1280, 9216).default(1500),
      ntp: z
        .array(host("A time server", "192.168.120.1"))
        .min(1, "names no time server (leave it out for time.cloudflare.com)")
        .default(["time.cloudflare.com"])
        .describe("Time servers of the nodes"),
      discovery: z
        .strictObject({
          enabled: z.boolean().default(true).describe("Whether nodes look for each other through a service"),
          registry: text(
            readWebUrl,
            "Your own discovery service; Talos' public one when left out",
            "http://192.168.123.152:3000",
          ).optional(),
        })
        .default({ enabled: true })
        .describe("How nodes find each other"),
      bgp: z
        .strictObject({
          router: address("The router that learns the gateways' addresses", "192.168.123.254"),
          routerAsn: whole("Its AS number", 1, 4_294_967_294),
          asn: whole("The cluster's AS number", 1, 4_294_967_294),
        })
        .optional()
        .describe("For components/cilium-bgp; leave it out while addresses are announced on layer 2"),
    })
    .describe("Networks and addresses"),
  nodes: z
    .array(node)
    .min(1, "names no control plane (one is enough, three survive the loss of one)")
    .describe("The nodes. Each is a control plane and runs workloads."),
  hypervisor: z.enum(["truenas", "vsphere"]).describe("Where the VMs run; the section of the same name says the rest"),
  truenas: truenas
    .optional()
    .describe("For hypervisor truenas. Host, user, key and certificate are in the vault, in the item onepassword.items.nas."),
  vsphere: vsphere
    .optional()
    .describe("For hypervisor vsphere. Host, user and password are in the vault, in the item onepassword.items.esxi."),
  vm: z
    .strictObject({
      cpus: whole("Virtual CPUs", 2, 255).default(8),
      memory: size("Memory, in MiB, GiB or TiB", "48GiB").default("48GiB"),
      bootDisk: size("The disk that Talos is installed on", "500GB").default("500GB"),
      dataDisk: size("The disk for Ceph", "1TB").default("1TB"),
    })
    .default({ cpus: 8, memory: "48GiB", bootDisk: "500GB", dataDisk: "1TB" })
    .describe("The size of each VM"),
  onepassword: z
    .strictObject({
      vault: text(readVaultName, "The vault that the cluster's token reads: what the cluster needs", "Infrastructure"),
      operatorVault: text(
        readVaultName,
        "The vault of what only the operator needs: Talos' authorities, the age key, the administrators of the NAS and of ESXi, the cluster's own token. `vault` when left out, with a warning.",
        "Operator",
      ).optional(),
      items: z
        .object(Object.fromEntries(ITEM_KEYS.map((key) => [key, item(key)])) as Record<ItemKey, ReturnType<typeof item>>)
        .catchall(text(readVaultName, "The name of an application's item; its ExternalSecrets have it as ${ITEM_…}", "our wiki"))
        .superRefine(refuseMistypedItems)
        .default(ITEM_NAMES)
        .describe(
          "Names of items in the vault, where they differ from the defaults. Applications read another key as a setting: certManager is ${ITEM_CERT_MANAGER}.",
        ),
    })
    .describe("Where the secrets are"),
  git: z
    .strictObject({
      url: text(readGitUrl, "Your fork, as Flux fetches it", "https://github.com/you/home-ops"),
      branch: text(readBranch, "The branch that Flux follows", "main").default("main"),
      owner: text(readGithubOwner, "Whose the fork is at GitHub; the first word of the URL's path when left out", "you").optional(),
    })
    .describe("What Flux applies"),
  acme: z
    .strictObject({
      email: text(readEmail, "Where the certificate authority writes to", "you@example.com"),
      eabKeyId: text(
        readKeyId,
        "keyId of the key that binds your ACME account to Google; its other half is in the vault",
        "b1d1f8f0c7e4e2a9b3c5d6e7f8091124",
      ),
    })
    .describe("Who certificates are for"),
  cloudflare: z
    .strictObject({ tunnel: text(readUuid, "The id of the tunnel to the external gateway", "6ff42ae2-765d-4adf-8112-31c55c1551ef") })
    .describe("How the world reaches the external gateway"),
  nas: z
    .strictObject({
      address: host("The NAS, as pods reach it", "192.168.120.10"),
      exports: z
        .record(
          text(readExportName, "What it is for", "kopia"),
          text(readPath, "A path that the NAS exports over NFS", "/mnt/flashstor/VolsyncKopia"),
        )
        .default({})
        .describe("NFS exports, by what they are for"),
      kopiaRepository: text(
        readRepositoryId,
        "Identity of the Kopia repository (uniqueIDHex). task volsync:identity writes it after the first start; from then on no other repository is created or used.",
        "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855f",
      ).optional(),
    })
    .describe("The NAS that pods mount from"),
  unifi: z
    .strictObject({ address: host("The UniFi controller", "192.168.120.6") })
    .optional()
    .describe("Leave it out when there is none"),
});

/** The file as typed, with defaults. */
export type Written = z.infer<typeof definition>;
