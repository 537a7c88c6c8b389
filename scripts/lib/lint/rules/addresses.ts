// Addresses of load balancers: inside a pool, given once, and nobody else's at home.
import { about, type RuleInput } from "../rule-input.ts";
import { isKind } from "../../tree/object.ts";
import type { Finding } from "../../tree/types.ts";
import { mapsIn } from "./maps.ts";

const IPS = /^(lbipam\.cilium\.io\/ips|io\.cilium\/lb-ipam-ips)$/;
const SHARING = /^(lbipam\.cilium\.io\/sharing-key|io\.cilium\/lb-ipam-sharing-key)$/;

const numberOf = (address: string) => {
  const parts = address.split(".").map(Number);
  return parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
    ? parts.reduce((sum, part) => sum * 256 + part, 0)
    : undefined;
};

/** What is wrong with the addresses that Services and gateways ask for. */
export function addresses(input: RuleInput): Finding[] {
  const blocks = input.applied
    .filter(({ object }) => isKind(object, "CiliumLoadBalancerIPPool", "cilium.io"))
    .flatMap(({ object }) => (object.spec?.blocks ?? []) as { start?: string; stop?: string; cidr?: string }[])
    .map(rangeOf)
    .filter((range) => range !== undefined);
  const used = input.applied.flatMap((located) =>
    [...mapsIn(located.object)].flatMap(({ map, path }) =>
      Object.entries(map)
        .filter(([key, value]) => IPS.test(key) && typeof value === "string")
        .flatMap(([key, value]) => {
          const sharing = Object.entries(map).find(([other]) => SHARING.test(other))?.[1];
          return String(value)
            .split(",")
            .map((address) => ({ address: address.trim(), sharing, located, path: [...path, key] }));
        }),
    ),
  );
  const seen = new Map<string, (typeof used)[number]>();
  return used.flatMap((one) => {
    const say = (message: string, why: string, fix: string) => [
      about(input, "network", "error", one.located, one.path, { message, why, fix }),
    ];
    const number = numberOf(one.address);
    if (number === undefined)
      return one.address.includes("{{")
        ? []
        : say(`"${one.address}" is no address`, "Cilium gives the Service none", "write an IPv4 address of the pool");
    if (blocks.length > 0 && !blocks.some(([from, to]) => number >= from && number <= to))
      return say(
        `${one.address} lies outside the pool`,
        "Cilium never gives an address that no pool has: the Service stays pending for ever",
        "take one of the pool, or widen the pool (talos/cluster.yaml, then task configure)",
      );
    const taken = ofTheHome(input, one.address);
    if (taken)
      return say(
        `${one.address} is ${taken}`,
        "two machines answer for one address: connections break at random",
        "take another one of the pool",
      );
    const twin = seen.get(one.address);
    seen.set(one.address, one);
    if (!twin || (twin.sharing !== undefined && twin.sharing === one.sharing) || twin.located.object === one.located.object) return [];
    return say(
      `${one.address} is also asked for by ${twin.located.object.kind} ${twin.located.object.metadata.name} (${twin.located.source.file})`,
      "only the first of the two gets it, the other stays pending",
      "take another one of the pool, or give both one sharing-key",
    );
  });
}

function rangeOf({ start, stop, cidr }: { start?: string; stop?: string; cidr?: string }): [number, number] | undefined {
  if (cidr) {
    const [base = "", bits = "32"] = cidr.split("/");
    const from = numberOf(base);
    return from === undefined ? undefined : [from, from + 2 ** (32 - Number(bits)) - 1];
  }
  const [from, to] = [numberOf(start ?? ""), numberOf(stop ?? start ?? "")];
  return from === undefined || to === undefined ? undefined : [from, to];
}

function ofTheHome({ cluster }: RuleInput, address: string): string | undefined {
  if (!cluster) return undefined;
  const { endpoint, nodes, nas, unifi, network } = cluster;
  if (endpoint.address === address) return "the API's virtual address";
  const node = nodes.find((one) => one.address === address);
  if (node) return `node ${node.name}`;
  if (nas.address === address) return "the NAS";
  if (unifi?.address === address) return "the UniFi controller";
  return network.bgp?.router === address ? "the router" : undefined;
}
