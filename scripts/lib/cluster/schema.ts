// The shape of talos/cluster.yaml: what validates it, and what editors get as a JSON schema. Only load.ts and the schema's writer import it.
import { Address4 } from "ip-address";
import { z } from "zod";
import { ITEM_KEYS, type ItemKey } from "./cluster.ts";

/** Names of the items in the vault where cluster.yaml does not say otherwise. */
export const ITEM_NAMES: Record<ItemKey, string> = {
  talos: "talos",
  sops: "sops",
  connect: "1password",
  nas: "talosdeploy",
  esxi: "esxi",
  kubeconfig: "kubeconfig",
  cloudflare: "cloudflare",
  certManager: "cert-manager",
  unifi: "unifi",
  pushover: "pushover",
  ilert: "ilert",
  flux: "flux",
  volsync: "volsync-template",
  rookCeph: "rook-ceph",
  grafana: "grafana",
  alertmanager: "alertmanager",
  actionsRunner: "actions-runner",
};

const text = (about: string) => z.string().min(1, "is empty").describe(about);
const matching = (about: string, pattern: RegExp, wrong: string) => z.string().regex(pattern, wrong).describe(about);

const ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
const address = (about: string) => matching(about, ADDRESS, "is no IPv4 address (write it like 192.168.1.10)");
const cidr = (about: string) =>
  z
    .string()
    .superRefine((value, context) => {
      const wrong = wrongCidr(value);
      if (wrong) context.addIssue({ code: "custom", message: wrong });
    })
    .describe(about);

/** What is wrong with a network in CIDR form; undefined when nothing is. */
export function wrongCidr(value: string): string | undefined {
  const [base = "", length = ""] = value.split("/");
  if (!ADDRESS.test(base) || !/^([0-9]|[12]\d|3[0-2])$/.test(length)) return "is no network (write it like 192.168.0.0/16)";
  const network = new Address4(value).startAddress().correctForm();
  return network === base ? undefined : `has host bits set (the network is ${network}/${length})`;
}

const UNITS: Record<string, number> = { MB: 1e6, GB: 1e9, TB: 1e12, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of "48GiB"; undefined for what has no size or no known unit. */
export function bytesOf(value: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(value) ?? [];
  const factor = UNITS[unit ?? ""];
  return factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

const size = (about: string) =>
  z
    .string("has no unit (like 48GiB)")
    .refine((value) => bytesOf(value) !== undefined, `is no size (a number and one of ${Object.keys(UNITS).join(", ")}, like 48GiB)`)
    .describe(about);

const zfsName = (about: string) =>
  matching(
    about,
    /^[A-Za-z0-9][A-Za-z0-9_.:-]*(\/[A-Za-z0-9][A-Za-z0-9_.:-]*)*$/,
    "is no dataset (pool and datasets with / between: flashstor/VM)",
  );

/** A node's name becomes a host name and, with underscores, a VM's: TrueNAS takes letters, digits and _ alone. */
const nodeName = matching(
  "Kubernetes' and Talos' name of the node; its VM on TrueNAS has underscores for dashes",
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "is no name for a node (lower-case letters, digits and dashes; TrueNAS takes no dots, and the VM gets _ for -)",
);

const labelKey = z.string().regex(/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/, "is no label name");
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/, "is no label value (at most 63 letters, digits, - _ .)");

const timezone = z
  .string()
  .refine((zone) => {
    try {
      return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
    } catch {
      return false;
    }
  }, "is no time zone (like Europe/Berlin)")
  .describe("the home's time zone");

export const definition = z.strictObject({
  name: matching(
    "the cluster's name, and its context's in the kubeconfig",
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "is no name for a cluster (lower-case letters, digits and dashes)",
  ),
  domain: matching(
    "the domain under which applications are reached",
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
    "is no domain (like example.com)",
  ),
  timezone: timezone.default("Etc/UTC"),
  endpoint: matching(
    "URL of the API server on the VIP",
    /^https:\/\/[^/:]+:\d+$/,
    "is no endpoint (write it like https://192.168.1.100:6443)",
  ),
  network: z.strictObject({
    nodes: cidr("the LAN that nodes, VIP and gateways are in"),
    pods: cidr("addresses of pods"),
    services: cidr("addresses of Services"),
    gateways: z
      .strictObject({ from: address("first address"), to: address("last address") })
      .describe("addresses for load balancers; both ends belong to it"),
    mtu: z
      .int("is no whole number")
      .min(1280, "is too small (1280 to 9216)")
      .max(9216, "is too large (1280 to 9216)")
      .default(1500)
      .describe("must be what the switch takes"),
    ntp: z
      .array(text("host name or address"))
      .min(1, "names no time server")
      .default(["time.cloudflare.com"])
      .describe("time servers of the nodes"),
    discovery: z
      .strictObject({
        enabled: z.boolean("is neither true nor false").default(true),
        registry: matching("URL of your own discovery service", /^https?:\/\/\S+$/, "is no URL").optional(),
      })
      .default({ enabled: true })
      .describe("where nodes find each other"),
  }),
  nodes: z
    .array(
      z.strictObject({
        name: nodeName,
        address: address("the node's fixed address (by DHCP reservation of the MAC)"),
        mac: matching(
          "the NIC's MAC address",
          /^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$/,
          "is no MAC address (six pairs of hexadecimal digits: 00:a0:98:28:c8:83)",
        ),
        labels: z.record(labelKey, labelValue).default({}).describe("labels of the node in Kubernetes"),
      }),
    )
    .min(1, "names no control plane (at least one, better three)"),
  hypervisor: z.enum(["truenas", "vsphere"], "is unknown (truenas or vsphere)").describe("where the VMs run"),
  truenas: z
    .strictObject({
      pool: zfsName("the pool"),
      vmDataset: zfsName("parent of the VMs' zvols"),
      isoDataset: zfsName("dataset of the ISO files; not the pool's root"),
      bridge: text("the bridge that the VMs' NICs are in"),
    })
    .optional(),
  vsphere: z
    .strictObject({ datastore: text("datastore of the VMs"), isoDatastore: text("datastore of the ISO"), network: text("port group") })
    .optional(),
  vm: z
    .strictObject({
      cpus: z.int("is no whole number").min(2, "is too few (at least 2)").max(255, "is too many (255 at most)").default(8),
      memory: size("memory of each VM").default("48GiB"),
      bootDisk: size("system disk").default("500GB"),
      dataDisk: size("disk for Ceph").default("1TB"),
    })
    .default({ cpus: 8, memory: "48GiB", bootDisk: "500GB", dataDisk: "1TB" }),
  onepassword: z.strictObject({
    vault: matching("the vault that holds the items", /^[^/"'$\\]+$/, "is no name for a vault (no / \" ' $ \\)"),
    items: z
      .strictObject(
        Object.fromEntries(
          ITEM_KEYS.map((key) => [key, matching(`item for ${key}`, /^[^/"'$\\]+$/, "is no name for an item (no / \" ' $ \\)").optional()]),
        ) as Record<ItemKey, z.ZodOptional<z.ZodString>>,
      )
      .default({}),
  }),
  git: z.strictObject({
    url: matching("your fork, as Flux fetches it", /^(https:\/\/|ssh:\/\/)\S+$/, "is no Git URL (https://… or ssh://…)"),
    branch: text("the branch that Flux follows").default("main"),
  }),
  nas: z.strictObject({
    address: address("the NAS, as pods reach it"),
    exports: z.record(z.string(), matching("path", /^\/\S*$/, "is no absolute path")).default({}),
  }),
  unifi: z.strictObject({ address: address("the UniFi controller") }).optional(),
});

export type Written = z.infer<typeof definition>;
