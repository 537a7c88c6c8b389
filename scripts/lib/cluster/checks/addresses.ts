// Addresses: each is unique, inside its network, and outside the networks of pods, Services and load balancers.
import { isAddress, lies, numberOf, prefixOf, type Span, spanOf, textOf } from "../address.ts";
import type { Finding, Path, Read } from "../findings.ts";
import { readEndpoint } from "../readings.ts";

interface Place {
  who: string;
  address: string;
  path: Path;
}

export function checkAddresses(read: Read): Finding[] {
  const [vip, nodes, others] = [vipOf(read), nodesOf(read), othersOf(read)];
  const ends = ["from", "to"].flatMap((end) =>
    place(`network.gateways.${end}`, read("network", "gateways", end), ["network", "gateways", end]),
  );
  return [
    ...checkInside([...vip, ...nodes, ...ends], [...vip, ...nodes], read("network", "nodes")),
    ...checkOwn([...vip, ...others, ...nodes]),
    ...checkReach(others, read),
    ...checkPool(ends, [...vip, ...nodes, ...others]),
    ...checkGateways(ends, read),
  ];
}

const place = (who: string, address: string | undefined, path: Path): Place[] =>
  address !== undefined && isAddress(address) ? [{ who, address, path }] : [];

function vipOf(read: Read): Place[] {
  const endpoint = read("endpoint");
  const reading = endpoint === undefined ? undefined : readEndpoint(endpoint);
  return reading && "value" in reading ? place("the endpoint", reading.value.address, ["endpoint"]) : [];
}

const nodesOf = (read: Read): Place[] =>
  (read<unknown[]>("nodes") ?? []).flatMap((_, index) =>
    place(read("nodes", index, "name") ?? `nodes[${index}]`, read("nodes", index, "address"), ["nodes", index, "address"]),
  );

/** Machines outside the cluster. A host name has no known address. */
const othersOf = (read: Read): Place[] => [
  ...(read<unknown[]>("network", "ntp") ?? []).flatMap((_, index) =>
    place("a time server", read("network", "ntp", index), ["network", "ntp", index]),
  ),
  ...place("the NAS", read("nas", "address"), ["nas", "address"]),
  ...place("the BGP router", read("network", "bgp", "router"), ["network", "bgp", "router"]),
  ...place("the UniFi controller", read("unifi", "address"), ["unifi", "address"]),
];

function checkInside(all: Place[], hosts: Place[], network: string | undefined): Finding[] {
  if (network === undefined || prefixOf(network) > 30) return []; // checkNetworks reports that it is too small
  const span = spanOf(network);
  const outside = all
    .filter(({ address }) => !lies(address, span))
    .map(({ address, path }) => ({
      path,
      message: `${address} is outside network.nodes, ${network} (which goes from ${textOf(span.first + 1)} to ${textOf(span.last - 1)})`,
    }));
  const reserved = hosts
    .filter(({ address }) => numberOf(address) === span.first || numberOf(address) === span.last)
    .map(({ address, path }) => ({
      path,
      message: `${address} is the ${numberOf(address) === span.first ? "first" : "last"} address of ${network}, which no machine can have (use one between them)`,
    }));
  return [...outside, ...reserved];
}

/** No two machines share an address, except that a time server may be the NAS or the controller. */
function checkOwn(all: Place[]): Finding[] {
  return all.flatMap(({ address, path }, index) => {
    const first = all.slice(0, index).find((other) => other.address === address);
    if (!first || (path[0] !== "nodes" && path[0] !== "endpoint" && first.path[0] !== "endpoint")) return [];
    const hint = first.path[0] === "endpoint" ? "the VIP is an address of its own" : "each needs its own";
    return [{ path, message: `${address} is already used by ${first.who} (${hint})` }];
  });
}

/** A machine with an address of the cluster's own networks is unreachable: packets to it stay inside the cluster. */
const checkReach = (others: Place[], read: Read): Finding[] =>
  ["pods", "services"].flatMap((name) => {
    const network = read("network", name);
    if (network === undefined) return [];
    return others
      .filter(({ address }) => lies(address, spanOf(network)))
      .map(({ address, path }) => ({ path, message: `${address} lies in network.${name} (${network}), so the nodes cannot reach it` }));
  });

function checkPool(ends: Place[], others: Place[]): Finding[] {
  const [from, to] = ends;
  if (!from || !to) return [];
  const path = ["network", "gateways"];
  const pool: Span = { first: numberOf(from.address), last: numberOf(to.address) };
  if (pool.first > pool.last) return [{ path, message: `from (${from.address}) is after to (${to.address}) (swap them)` }];
  const inside = others.filter(({ address }) => lies(address, pool));
  return inside.map(({ who, address }) => ({
    path,
    message: `the pool contains ${address}, the address of ${who} (start it after that address, or end it before)`,
  }));
}

/** The two gateways have different addresses in the pool; the default is the last two. */
function checkGateways([from, to]: Place[], read: Read): Finding[] {
  if (!from || !to) return [];
  const pool: Span = { first: numberOf(from.address), last: numberOf(to.address) };
  const path = ["network", "gateways"];
  if (pool.first === pool.last) return [{ path, message: `the pool has only one address, ${from.address} (two gateways need two)` }];
  const named = ["internal", "external"].flatMap((name) => place(name, read("network", "gateways", name), [...path, name]));
  const outside = named.filter(({ address }) => !lies(address, pool));
  const [one, other] = named;
  return [
    ...outside.map(({ address, path }) => ({ path, message: `${address} is outside the pool (from ${from.address} to ${to.address})` })),
    ...(one && other && one.address === other.address
      ? [{ path: other.path, message: `${other.address} is already used by the internal gateway (each needs its own)` }]
      : []),
  ];
}
