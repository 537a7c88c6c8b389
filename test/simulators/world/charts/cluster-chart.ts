// How charts are written down here: the definitions, workloads and objects that a chart brings into a cluster.
import type { KubeObject } from "../cluster/state.ts";

export interface Chart {
  /** Definitions that the chart holds. */
  crds: KubeObject[];
  /** Definitions that its operator makes once it runs. */
  madeByOperator: KubeObject[];
  /** `Deployment/cert-manager`. */
  workloads: string[];
  /** Other objects of the chart that the home reads, of a release with that name, namespace and values. */
  objects?(release: { name: string; namespace: string; values: any }): KubeObject[];
  /** Where the chart holds its definitions: in `crds/`, which helm applies by itself and only once, or among its templates, always or when a value says so. */
  definitions: "crds" | "templates" | { value: string; normally: boolean };
}

/** `gateways Gateway v1,v1beta1 gtw` of a group; `!` after the kind: cluster-scoped. The last are kubectl's short names. */
export const group = (name: string, ...lines: string[]): KubeObject[] => lines.map((line) => definition(name, line));

function definition(group: string, line: string): KubeObject {
  const [plural = "", word = "", versions = "", short = ""] = line.split(" ");
  const kind = word.replace("!", "");
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, ...approvalOf(group) },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(short && { shortNames: short.split(",") }),
      },
      scope: word.endsWith("!") ? "Cluster" : "Namespaced",
      versions: versions.split(",").map((name, at) => ({
        name,
        served: true,
        storage: at === 0,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      })),
    },
  };
}

/** The API server guards groups that end like its own: their definitions name the review that approved them. */
function approvalOf(group: string): { annotations?: Record<string, string> } {
  const [, review] = APPROVED.find(([end]) => group.endsWith(end)) ?? [];
  return review ? { annotations: { "api-approved.kubernetes.io": `https://github.com/${review}` } } : {};
}

const APPROVED: [end: string, review: string][] = [
  ["gateway.networking.k8s.io", "kubernetes-sigs/gateway-api/pull/3328"],
  ["snapshot.storage.k8s.io", "kubernetes-csi/external-snapshotter/pull/814"],
  ["externaldns.k8s.io", "kubernetes-sigs/external-dns/pull/2007"],
];

export const chart = (workloads: string[], crds: KubeObject[] = [], definitions: Chart["definitions"] = "crds"): Chart => ({
  workloads,
  crds,
  madeByOperator: [],
  definitions,
});
/** A value that has the chart render its definitions, and what the chart says itself. */
export const when = (value: string, normally: boolean) => ({ value, normally });
