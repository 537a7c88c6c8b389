// Addresses, host names and ports: inside the pool, given once, and owned by one.
import { about, type Ground, type Rule } from "../ground.ts";
import { factsOf } from "../charts.ts";
import { isKind } from "../object.ts";
import { podsOf } from "../pods.ts";
import type { Finding, Located } from "../types.ts";

type Place = { located: Located; path: (string | number)[] };
const IPS = /^(lbipam\.cilium\.io\/ips|io\.cilium\/lb-ipam-ips)$/;
const SHARING = /^(lbipam\.cilium\.io\/sharing-key|io\.cilium\/lb-ipam-sharing-key)$/;

export const network: Rule = {
  name: "network",
  about: "addresses lie in the pool and are given once, host names and DNS records have one owner, ports do not collide",
  check: (ground) => [...addresses(ground), ...hostnames(ground), ...owners(ground), ...ports(ground)],
};

/** Every map in an object, with its path. */
function* mapsIn(value: unknown, path: (string | number)[] = []): Generator<{ map: Record<string, unknown>; path: (string | number)[] }> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { map: value as Record<string, unknown>, path };
  for (const [key, one] of Object.entries(value)) yield* mapsIn(one, [...path, Array.isArray(value) ? Number(key) : key]);
}

const numberOf = (address: string) => {
  const parts = address.split(".").map(Number);
  return parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
    ? parts.reduce((sum, part) => sum * 256 + part, 0)
    : undefined;
};

function addresses(ground: Ground): Finding[] {
  const blocks = ground.applied
    .filter(({ object }) => isKind(object, "CiliumLoadBalancerIPPool", "cilium.io"))
    .flatMap(({ object }) => (object.spec?.blocks ?? []) as { start?: string; stop?: string; cidr?: string }[])
    .map(rangeOf)
    .filter((range) => range !== undefined);
  const used = ground.applied.flatMap((located) =>
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
      about(ground, "network", "error", one.located, one.path, { message, why, fix }),
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
    const taken = ofTheHome(ground, one.address);
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

function ofTheHome({ cluster }: Ground, address: string): string | undefined {
  if (!cluster) return undefined;
  const { endpoint, nodes, nas, unifi, network } = cluster;
  if (endpoint.address === address) return "the API's virtual address";
  const node = nodes.find((one) => one.address === address);
  if (node) return `node ${node.name}`;
  if (nas.address === address) return "the NAS";
  if (unifi?.address === address) return "the UniFi controller";
  return network.bgp?.router === address ? "the router" : undefined;
}

/** Routes as objects, and routes that charts make of values: a map with hostnames and parentRefs. */
function hostnames(ground: Ground): Finding[] {
  const seen = new Map<string, Place>();
  return ground.applied.flatMap((located) => {
    const { object } = located;
    if (object.kind === "Gateway" || (!object.kind.endsWith("Route") && object.kind !== "HelmRelease")) return [];
    return [...mapsIn(object)].flatMap(({ map, path }): Finding[] => {
      if (!Array.isArray(map.hostnames) || !Array.isArray(map.parentRefs)) return [];
      const paths = JSON.stringify(((map.rules as { matches?: unknown }[] | undefined) ?? []).map(({ matches }) => matches ?? null));
      return (map.parentRefs as { name?: string; sectionName?: string }[]).flatMap((parent) =>
        (map.hostnames as string[]).flatMap((raw): Finding[] => {
          const name = String(raw).replaceAll(/\{\{-?\s*\.Release\.Name\s*-?\}\}/g, object.metadata.name);
          if (name.includes("{{")) return [];
          const key = `${object.kind === "HelmRelease" ? "HTTPRoute" : object.kind} ${parent.name} ${parent.sectionName ?? ""} ${name} ${paths}`;
          const twin = seen.get(key);
          if (!twin) seen.set(key, { located, path });
          if (!twin || twin.located === located) return [];
          return [
            about(ground, "network", "error", located, [...path, "hostnames"], {
              message: `${name} on gateway ${parent.name} is also ${twin.located.object.kind} ${twin.located.object.metadata.name}'s (${twin.located.source.file})`,
              why: "the older of two routes with the same name and path wins: one of the two applications cannot be reached",
              fix: "give one of them another name",
            }),
          ];
        }),
      );
    });
  });
}

/** Two external-dns that sign their records alike delete each other's. */
function owners(ground: Ground): Finding[] {
  const seen = new Map<string, Located>();
  return [...ground.charts.values()].flatMap(({ chart, located }) => {
    if (factsOf(chart)?.values !== "external-dns") return [];
    const { txtOwnerId = "default", txtPrefix = "" } = (located.object.spec?.values ?? {}) as { txtOwnerId?: string; txtPrefix?: string };
    const key = `${String(txtPrefix)} ${String(txtOwnerId)}`;
    const twin = seen.get(String(txtOwnerId));
    seen.set(String(txtOwnerId), located);
    void key;
    if (!twin) return [];
    return [
      about(ground, "network", "error", located, ["spec", "values", "txtOwnerId"], {
        message: `its DNS owner id ${String(txtOwnerId)} is also ${twin.object.metadata.name}'s`,
        why: "each takes the other's records for its own that nobody wants any more, and deletes them",
        fix: "give each external-dns a txtOwnerId of its own",
      }),
    ];
  });
}

/** Ports of nodes, and listeners of a gateway. */
function ports(ground: Ground): Finding[] {
  const seen = new Map<number, Located>();
  const claims = [
    ...podsOf(ground).flatMap(({ located, path, containers }) =>
      containers.flatMap(({ ports = [] }) => ports.flatMap(({ hostPort }) => (hostPort ? [{ located, path, port: hostPort }] : []))),
    ),
    ...[...ground.charts.values()].flatMap(({ located }) =>
      [...mapsIn(located.object.spec?.values, ["spec", "values"])].flatMap(({ map, path }) =>
        typeof map.hostPort === "number" ? [{ located, path: [...path, "hostPort"], port: map.hostPort }] : [],
      ),
    ),
  ];
  const hosts = claims.flatMap(({ located, path, port }): Finding[] => {
    const twin = seen.get(port);
    if (!twin) seen.set(port, located);
    if (!twin || twin === located) return [];
    return [
      about(ground, "network", "error", located, path, {
        message: `the node's port ${port} is also ${twin.object.metadata.name}'s`,
        why: "only one pod on a node can have it: the other never starts",
        fix: "give it another hostPort",
      }),
    ];
  });
  const listeners = ground.applied
    .filter(({ object }) => object.kind === "Gateway")
    .flatMap((located) => {
      const all = (located.object.spec?.listeners ?? []) as { name: string; port: number; protocol: string; hostname?: string }[];
      return all.flatMap((one, index): Finding[] => {
        const twin = all
          .slice(0, index)
          .find((other) => other.port === one.port && other.protocol === one.protocol && (other.hostname ?? "") === (one.hostname ?? ""));
        return twin
          ? [
              about(ground, "network", "error", located, ["spec", "listeners", index], {
                message: `listener ${one.name} has the port and the host name of ${twin.name}`,
                why: "neither of two conflicting listeners is programmed",
                fix: "give it another port or hostname",
              }),
            ]
          : [];
      });
    });
  return [...hosts, ...listeners];
}
