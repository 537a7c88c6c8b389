// The three networks: no overlap, and enough room for pods and Services.
import { networkOf, overlaps, prefixOf, spanOf } from "../address.ts";
import type { Finding, Read } from "../findings.ts";
import { orList } from "../show.ts";

/** kube-controller-manager gives each node a /24 of the pod network. */
const OF_A_NODE = 24;

export const checkNetworks = (read: Read): Finding[] => [
  ...checkNodes(read),
  ...checkOverlaps(read),
  ...checkPods(read),
  ...checkServices(read),
];

/** Private addresses: RFC 1918. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Public pod or Service networks hide the real hosts with those addresses. A warning only: a running cluster cannot change its networks. */
export const publicNetworks = (read: Read): Finding[] =>
  ["pods", "services"].flatMap((name) => {
    const network = read("network", name);
    if (network === undefined || PRIVATE.some((range) => contains(range, network))) return [];
    return [
      {
        path: ["network", name],
        message: `${network} is not private address space: the cluster cannot reach hosts with these addresses (use a part of ${orList(PRIVATE)})`,
      },
    ];
  });

const contains = (range: string, network: string) => {
  const [outer, inner] = [spanOf(range), spanOf(networkOf(network))];
  return outer.first <= inner.first && inner.last <= outer.last;
};

/** The VIP, the two gateways and the nodes need an address each; the first and last address of a network are reserved. */
function checkNodes(read: Read): Finding[] {
  const network = read("network", "nodes");
  if (network === undefined) return [];
  const room = Math.max(0, 2 ** (32 - prefixOf(network)) - 2);
  const wanted = (read<unknown[]>("nodes")?.length ?? 1) + 3;
  if (room >= wanted) return [];
  return [
    {
      path: ["network", "nodes"],
      message: `${network} has room for ${room} of ${wanted} addresses (VIP, two gateways and the nodes; a /24 has room for 254)`,
    },
  ];
}

function checkOverlaps(read: Read): Finding[] {
  const networks = ["nodes", "pods", "services"].flatMap((name) => {
    const network = read("network", name);
    return network === undefined ? [] : [{ name, network }];
  });
  return networks.flatMap(({ name, network }, index) =>
    networks
      .slice(0, index)
      .filter((other) => overlaps(network, other.network))
      .map((other) => ({ path: ["network", name], message: `${network} overlaps network.${other.name} (${other.network})` })),
  );
}

function checkPods(read: Read): Finding[] {
  const pods = read("network", "pods");
  if (pods === undefined) return [];
  const room = Math.floor(2 ** (OF_A_NODE - prefixOf(pods)));
  const wanted = read<unknown[]>("nodes")?.length ?? 1;
  if (room >= wanted) return [];
  return [
    {
      path: ["network", "pods"],
      message: `${pods} has room for ${room} of ${wanted} nodes (each takes a /${OF_A_NODE}; a /16 has room for 256)`,
    },
  ];
}

function checkServices(read: Read): Finding[] {
  const services = read("network", "services");
  if (services === undefined) return [];
  const path = ["network", "services"];
  if (prefixOf(services) < 12) return [{ path, message: `${services} is too large (Kubernetes allows a /12 at most)` }];
  return prefixOf(services) > 24
    ? [{ path, message: `${services} is too small (a /24 at least; the tenth address is the cluster's DNS)` }]
    : [];
}
