// kubectl's tables for the kinds that operators read. Other kinds are not supported, because their columns differ.
import { Untaught } from "../../world/tool.ts";
import { columns } from "../table.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

type Cells = (object: KubeObject, now: number) => (string | number)[];

interface Table {
  head: string[];
  cells: Cells;
  /** What `--output wide` adds. */
  wide?: { head: string[]; cells: Cells };
}

/** 99s, 3m20s, 25m, 3h5m, 26h, 9d: coarser for older objects. */
export function ageOf({ metadata }: KubeObject, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(metadata.creationTimestamp ?? "")) / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  const rest = (count: number, unit: string) => (count > 0 ? `${count}${unit}` : "");
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${rest(seconds % 60, "s")}`;
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return `${hours}h${rest(minutes % 60, "m")}`;
  if (hours < 48) return `${hours}h`;
  return days < 8 ? `${days}d${rest(hours % 24, "h")}` : `${days}d`;
}

/** `Deployment.apps`, `Node`: kind and group. */
const idOf = ({ apiVersion, kind }: KubeObject) => (apiVersion.includes("/") ? `${kind}.${apiVersion.split("/")[0]}` : kind);

const conditionOf = ({ status }: KubeObject, type: string) => status?.conditions?.find((one: { type: string }) => one.type === type);
const ready: Cells = (object) => [conditionOf(object, "Ready")?.status ?? "", conditionOf(object, "Ready")?.message ?? ""];

function rolesOf({ metadata: { labels = {} } }: KubeObject): string {
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(labels).flatMap((label) => (label.startsWith(prefix) ? [label.slice(prefix.length)] : []));
  return roles.sort().join(",") || "<none>";
}

function nodeStatus(node: KubeObject): string {
  const condition = conditionOf(node, "Ready");
  const is = condition === undefined ? "Unknown" : condition.status === "True" ? "Ready" : "NotReady";
  return node.spec.unschedulable === true ? `${is},SchedulingDisabled` : is;
}

const addressOf = ({ status }: KubeObject, type: string): string =>
  status?.addresses?.find((one: { type: string }) => one.type === type)?.address ?? "<none>";

const TABLES: Record<string, Table> = {
  Node: {
    head: ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
    cells: (node, now) => [
      node.metadata.name,
      nodeStatus(node),
      rolesOf(node),
      ageOf(node, now),
      node.status?.nodeInfo?.kubeletVersion ?? "",
    ],
    wide: {
      head: ["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"],
      cells: (node) => [
        addressOf(node, "InternalIP"),
        addressOf(node, "ExternalIP"),
        ...["osImage", "kernelVersion", "containerRuntimeVersion"].map((fact) => node.status?.nodeInfo?.[fact] ?? "<unknown>"),
      ],
    },
  },
  Namespace: {
    head: ["NAME", "STATUS", "AGE"],
    cells: (object, now) => [object.metadata.name, object.status?.phase ?? "", ageOf(object, now)],
  },
  Secret: {
    head: ["NAME", "TYPE", "DATA", "AGE"],
    cells: (object, now) => [object.metadata.name, object.type ?? "Opaque", Object.keys(object.data ?? {}).length, ageOf(object, now)],
  },
  "Deployment.apps": {
    head: ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
    cells: (object, now) => {
      const { readyReplicas = 0, updatedReplicas = 0, availableReplicas = 0 } = object.status ?? {};
      const ready = `${readyReplicas}/${object.spec.replicas ?? 1}`;
      return [object.metadata.name, ready, updatedReplicas, availableReplicas, ageOf(object, now)];
    },
  },
  "CustomResourceDefinition.apiextensions.k8s.io": {
    head: ["NAME", "CREATED AT"],
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? ""],
  },
  "Kustomization.kustomize.toolkit.fluxcd.io": flux(),
  "HelmRelease.helm.toolkit.fluxcd.io": flux(),
  "GitRepository.source.toolkit.fluxcd.io": {
    head: ["NAME", "URL", "AGE", "READY", "STATUS"],
    cells: (object, now) => [object.metadata.name, object.spec.url, ageOf(object, now), ...ready(object, now)],
  },
  "OCIRepository.source.toolkit.fluxcd.io": {
    head: ["NAME", "URL", "READY", "STATUS", "AGE"],
    cells: (object, now) => [object.metadata.name, object.spec.url, ...ready(object, now), ageOf(object, now)],
  },
};

function flux(): Table {
  return {
    head: ["NAME", "AGE", "READY", "STATUS"],
    cells: (object, now) => [object.metadata.name, ageOf(object, now), ...ready(object, now)],
  };
}

/** The table of objects of one kind; throws `Untaught` for a kind whose columns are not known. */
export function tableOf(objects: KubeObject[], now: number, { everywhere, wide }: { everywhere: boolean; wide: boolean }): string {
  const kinds = [...new Set(objects.map(idOf))];
  const table = TABLES[kinds[0] ?? ""];
  if (kinds.length > 1 || !table) throw new Untaught(`a table of ${kinds.join(" and ")}`);
  if (wide && !table.wide) throw new Untaught(`a wide table of ${kinds[0]}`);
  const more = wide ? table.wide : undefined;
  const rows = objects.map((object) => [
    ...(everywhere && object.metadata.namespace !== undefined ? [object.metadata.namespace] : []),
    ...table.cells(object, now),
    ...(more?.cells(object, now) ?? []),
  ]);
  const placed = everywhere && objects[0]?.metadata.namespace !== undefined;
  return columns([[...(placed ? ["NAMESPACE"] : []), ...table.head, ...(more?.head ?? [])], ...rows]);
}
