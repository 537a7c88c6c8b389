// What no single field can say: addresses and networks against each other, names against each other.
import { Address4 } from "ip-address";
import { bytesOf } from "./schema.ts";

export type Path = (string | number)[];

export interface Finding {
  /** Keys and indexes from the document's root: ["nodes", 0, "address"]. */
  path: Path;
  message: string;
}

/** Reads a value of the file that was found good by itself; undefined for one that is absent or wrong, so that one mistake does not hide another. */
export type Read = <T = string>(...path: Path) => T | undefined;

/** Everything that is wrong between fields. */
export const checkHome = (read: Read): Finding[] => [
  ...checkNetworks(read),
  ...checkAddresses(read),
  ...checkNodes(read),
  ...checkHypervisor(read),
  ...checkSizes(read),
];

/** What is odd but not wrong. */
export function warnings(read: Read): Finding[] {
  const count = countNodes(read);
  if (count % 2 === 1) return [];
  return [
    { path: ["nodes"], message: `${count} control planes are an even number: etcd survives no more failures than with ${count - 1}` },
  ];
}

const countNodes = (read: Read) => read<unknown[]>("nodes")?.length ?? 0;
const subnet = (network: string) => new Address4(network);
const within = (address: string, network: string) => new Address4(address).isInSubnet(subnet(network));
const number = (address: string) => new Address4(address).bigInt();
const overlap = (a: string, b: string) => within(a.split("/")[0]!, b) || within(b.split("/")[0]!, a);

function checkNetworks(read: Read): Finding[] {
  const networks = ["nodes", "pods", "services"].flatMap((name) => {
    const network = read("network", name);
    return network === undefined ? [] : [{ name, network }];
  });
  return networks.flatMap(({ name, network }, index) =>
    networks
      .slice(0, index)
      .filter((other) => overlap(network, other.network))
      .map((other) => ({ path: ["network", name], message: `${network} overlaps network.${other.name} (${other.network})` })),
  );
}

interface Place {
  who: string;
  address: string;
  path: Path;
}

function checkAddresses(read: Read): Finding[] {
  const endpoint = read("endpoint");
  const vip = endpoint && new URL(endpoint).hostname;
  if (vip !== undefined && !(Address4.isValid(vip) && !vip.includes("/"))) {
    return [{ path: ["endpoint"], message: `${vip} is a name; the nodes share an address (write it like https://192.168.1.100:6443)` }];
  }
  const place = (who: string, address: string | undefined, path: Path): Place[] => (address === undefined ? [] : [{ who, address, path }]);
  const gateways = ["from", "to"].flatMap((end) => place(end, read("network", "gateways", end), ["network", "gateways", end]));
  const nodes = Array.from({ length: countNodes(read) }, (_, index) =>
    place(read("nodes", index, "name") ?? `nodes[${index}]`, read("nodes", index, "address"), ["nodes", index, "address"]),
  ).flat();
  const shared = place("the endpoint", vip, ["endpoint"]);
  const nas = place("the NAS", read("nas", "address"), ["nas", "address"]);
  const network = read("network", "nodes");
  const outside =
    network === undefined
      ? []
      : [...shared, ...gateways, ...nodes]
          .filter(({ address }) => !within(address, network))
          .map(({ address, path }) => ({ path, message: `${address} is outside network.nodes (${network})` }));
  const taken = nodes.flatMap(({ who, address, path }) => [
    ...shared
      .filter((other) => other.address === address)
      .map(() => ({ path, message: `${address} is the endpoint's: the VIP is an address of its own, not ${who}'s` })),
    ...nas.filter((other) => other.address === address).map(() => ({ path, message: `${address} is the NAS's` })),
  ]);
  return [...outside, ...checkPool(gateways, [...shared, ...nas, ...nodes]), ...taken];
}

function checkPool(ends: Place[], others: Place[]): Finding[] {
  const [from, to] = [ends.find(({ who }) => who === "from")?.address, ends.find(({ who }) => who === "to")?.address];
  const path = ["network", "gateways"];
  if (from === undefined || to === undefined) return [];
  if (number(from) > number(to)) return [{ path, message: `from (${from}) comes after to (${to})` }];
  return others
    .filter(({ address }) => number(address) >= number(from) && number(address) <= number(to))
    .map(({ who, address }) => ({ path, message: `holds ${address}, which is ${who}'s` }));
}

/** A VM's name on TrueNAS: letters, digits and underscores. */
export const vmName = (node: string) => node.replaceAll("-", "_");
export const canonicalMac = (mac: string) => mac.toLowerCase().replaceAll("-", ":");

function checkNodes(read: Read): Finding[] {
  const twice = (field: string, canonical: (value: string) => string) => {
    const values = Array.from({ length: countNodes(read) }, (_, index) => read("nodes", index, field));
    return values.flatMap((value, index) => {
      const first = value === undefined ? index : values.findIndex((other) => other !== undefined && canonical(other) === canonical(value));
      return first < index ? [{ path: ["nodes", index, field], message: `${value} is nodes[${first}]'s already` }] : [];
    });
  };
  const multicast = Array.from({ length: countNodes(read) }, (_, index) => {
    const mac = read("nodes", index, "mac");
    return mac !== undefined && Number.parseInt(mac.slice(0, 2), 16) & 1
      ? [{ path: ["nodes", index, "mac"], message: `${mac} is a multicast address (its first byte must be even)` }]
      : [];
  }).flat();
  return [...twice("name", vmName), ...twice("address", (address) => address), ...twice("mac", canonicalMac), ...multicast];
}

function checkHypervisor(read: Read): Finding[] {
  const hypervisor = read("hypervisor");
  if (hypervisor !== undefined && read<object>(hypervisor) === undefined)
    return [{ path: ["hypervisor"], message: `is ${hypervisor}, but there is no section ${hypervisor}` }];
  const [pool, vms, isos] = [read("truenas", "pool"), read("truenas", "vmDataset"), read("truenas", "isoDataset")];
  if (pool === undefined) return [];
  const elsewhere = Object.entries({ vmDataset: vms, isoDataset: isos })
    .filter(([, dataset]) => dataset !== undefined && !`${dataset}/`.startsWith(`${pool}/`))
    .map(([key, dataset]) => ({ path: ["truenas", key], message: `${dataset} is not in the pool ${pool}` }));
  const root =
    isos === pool
      ? [
          {
            path: ["truenas", "isoDataset"],
            message: `${isos} is the pool's root: TrueNAS takes ISO files only from a dataset below it (like ${pool}/ISO)`,
          },
        ]
      : [];
  const both =
    isos !== undefined && vms === isos
      ? [{ path: ["truenas", "isoDataset"], message: `${isos} holds the VMs' disks already (like ${pool}/ISO)` }]
      : [];
  return [...elsewhere, ...root, ...both];
}

/** What Talos and Kubernetes need at the least. */
const LEAST = { memory: "4GiB", bootDisk: "20GB", dataDisk: "10GB" };

const checkSizes = (read: Read): Finding[] =>
  Object.entries(LEAST).flatMap(([key, least]) => {
    const has = read("vm", key);
    return has !== undefined && bytesOf(has)! < bytesOf(least)!
      ? [{ path: ["vm", key], message: `${has} is too small (at least ${least})` }]
      : [];
  });
