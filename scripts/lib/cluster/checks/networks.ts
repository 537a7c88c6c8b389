// The three networks against each other, and whether pods and Services fit into theirs.
import { overlaps, prefixOf } from "../../address.ts";
import type { Finding, Read } from "../findings.ts";

/** kube-controller-manager cuts pods into a /24 for each node. */
const OF_A_NODE = 24;

export const checkNetworks = (read: Read): Finding[] => [...checkOverlaps(read), ...checkPods(read), ...checkServices(read)];

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
  if (prefixOf(services) < 12) return [{ path, message: `${services} is too large (Kubernetes takes a /12 at most)` }];
  return prefixOf(services) > 24
    ? [{ path, message: `${services} is too small (a /24 at least; the tenth address is the cluster's DNS)` }]
    : [];
}
