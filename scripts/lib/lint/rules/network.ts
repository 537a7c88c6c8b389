// Host names, DNS records and ports: given once, and owned by one.
import { about, type RuleInput, type Rule } from "../rule-input.ts";
import { factsOf } from "../chart-facts.ts";
import { podsOf } from "../pods.ts";
import { addresses } from "./addresses.ts";
import { mapsIn } from "./maps.ts";
import type { Finding, Located } from "../../tree/types.ts";

type Place = { located: Located; path: (string | number)[] };
export const network: Rule = {
  name: "network",
  about: "addresses lie in the pool and are given once, host names and DNS records have one owner, ports do not collide",
  check: (input) => [...addresses(input), ...hostnames(input), ...owners(input), ...ports(input)],
};

/** Routes as objects, and routes that charts make of values: a map with hostnames and parentRefs. */
function hostnames(input: RuleInput): Finding[] {
  const seen = new Map<string, Place>();
  return input.applied.flatMap((located) => {
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
            about(input, "network", "error", located, [...path, "hostnames"], {
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
function owners(input: RuleInput): Finding[] {
  const seen = new Map<string, Located>();
  return [...input.charts.values()].flatMap(({ chart, located }) => {
    if (factsOf(chart)?.values !== "external-dns") return [];
    const { txtOwnerId = "default", txtPrefix = "" } = (located.object.spec?.values ?? {}) as { txtOwnerId?: string; txtPrefix?: string };
    const key = `${String(txtPrefix)} ${String(txtOwnerId)}`;
    const twin = seen.get(String(txtOwnerId));
    seen.set(String(txtOwnerId), located);
    void key;
    if (!twin) return [];
    return [
      about(input, "network", "error", located, ["spec", "values", "txtOwnerId"], {
        message: `its DNS owner id ${String(txtOwnerId)} is also ${twin.object.metadata.name}'s`,
        why: "both believe they own the records, and each deletes the other's as stale",
        fix: "give each external-dns a txtOwnerId of its own",
      }),
    ];
  });
}

/** Ports of nodes, and listeners of a gateway. */
function ports(input: RuleInput): Finding[] {
  const seen = new Map<number, Located>();
  const claims = [
    ...podsOf(input).flatMap(({ located, path, containers }) =>
      containers.flatMap(({ ports = [] }) => ports.flatMap(({ hostPort }) => (hostPort ? [{ located, path, port: hostPort }] : []))),
    ),
    ...[...input.charts.values()].flatMap(({ located }) =>
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
      about(input, "network", "error", located, path, {
        message: `the node's port ${port} is also ${twin.object.metadata.name}'s`,
        why: "only one pod on a node can have it: the other never starts",
        fix: "give it another hostPort",
      }),
    ];
  });
  const listeners = input.applied
    .filter(({ object }) => object.kind === "Gateway")
    .flatMap((located) => {
      const all = (located.object.spec?.listeners ?? []) as { name: string; port: number; protocol: string; hostname?: string }[];
      return all.flatMap((one, index): Finding[] => {
        const twin = all
          .slice(0, index)
          .find((other) => other.port === one.port && other.protocol === one.protocol && (other.hostname ?? "") === (one.hostname ?? ""));
        return twin
          ? [
              about(input, "network", "error", located, ["spec", "listeners", index], {
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
