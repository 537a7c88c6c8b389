// Where kustomize's transformers write: its built-in field specs (api/internal/konfig/builtinpluginconsts), in their own short form.
import type { FieldSpec } from "./fields.ts";

/** `group/kind path` a line; `+` in front creates what is missing. */
const read = (text: string): FieldSpec[] =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [, plus, kind = "", path = ""] = /^\s*(\+?)(\S+) (\S+)$/.exec(line)!;
      const [one, two] = kind.split(":");
      return { create: plus === "+", path, ...(one !== "*" && { kind: one! }), ...(two && { group: two }) };
    });

/** Labels of objects and of the pods and claims that they make. */
export const TEMPLATE_LABELS = read(`
  +Deployment spec/template/metadata/labels
  +ReplicaSet spec/template/metadata/labels
  +DaemonSet spec/template/metadata/labels
  +StatefulSet:apps spec/template/metadata/labels
  +StatefulSet:apps spec/volumeClaimTemplates[]/metadata/labels
  +Job:batch spec/template/metadata/labels
  +CronJob:batch spec/jobTemplate/metadata/labels
  +CronJob:batch spec/jobTemplate/spec/template/metadata/labels
`);
export const METADATA_LABELS: FieldSpec = { path: "metadata/labels", create: true };
/** What includeSelectors and commonLabels add to. */
export const SELECTOR_LABELS = [
  { kind: "Service", version: "v1", path: "spec/selector", create: true },
  ...read(`
  +Deployment spec/selector/matchLabels
  +ReplicaSet spec/selector/matchLabels
  +DaemonSet spec/selector/matchLabels
  +StatefulSet:apps spec/selector/matchLabels
  Job:batch spec/selector/matchLabels
  CronJob:batch spec/jobTemplate/spec/selector/matchLabels
  PodDisruptionBudget:policy spec/selector/matchLabels
  NetworkPolicy:networking.k8s.io spec/podSelector/matchLabels
  NetworkPolicy:networking.k8s.io spec/ingress/from/podSelector/matchLabels
  NetworkPolicy:networking.k8s.io spec/egress/to/podSelector/matchLabels
`),
  ...["Deployment:apps", "StatefulSet:apps"].flatMap((kind) =>
    read(
      [
        "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
        "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
        "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
        "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
        "topologySpreadConstraints/labelSelector",
      ]
        .map((path) => `${kind} spec/template/spec/${path}/matchLabels`)
        .join("\n"),
    ),
  ),
  METADATA_LABELS,
  ...TEMPLATE_LABELS,
];
export const ANNOTATIONS = [
  { path: "metadata/annotations", create: true },
  ...read(`
  +Deployment spec/template/metadata/annotations
  +ReplicaSet spec/template/metadata/annotations
  +DaemonSet spec/template/metadata/annotations
  +StatefulSet spec/template/metadata/annotations
  +Job:batch spec/template/metadata/annotations
  +CronJob:batch spec/jobTemplate/metadata/annotations
  +CronJob:batch spec/jobTemplate/spec/template/metadata/annotations
`),
];
export const IMAGES = ["spec", "spec/template/spec"].flatMap((pod) =>
  ["containers[]/image", "initContainers[]/image", "volumes[]/image/reference"].map((path) => ({ path: `${pod}/${path}`, create: true })),
);

const PODS = [
  ["Pod", "spec"],
  ["Deployment", "spec/template/spec"],
  ["ReplicaSet", "spec/template/spec"],
  ["DaemonSet", "spec/template/spec"],
  ["StatefulSet", "spec/template/spec"],
  ["Job", "spec/template/spec"],
  ["CronJob", "spec/jobTemplate/spec/template/spec"],
] as const;
const inPods = (...paths: string[]): FieldSpec[] => PODS.flatMap(([kind, pod]) => paths.map((path) => ({ kind, path: `${pod}/${path}` })));
const both = (path: string) => [`containers/${path}`, `initContainers/${path}`];

/** Which fields name an object of a kind, and follow when that object's name changes. */
export const NAME_REFERENCES: { kind: string; group: string; fields: FieldSpec[] }[] = [
  {
    kind: "ConfigMap",
    group: "",
    fields: [
      ...inPods("volumes/configMap/name", "volumes/projected/sources/configMap/name"),
      ...inPods(...both("env/valueFrom/configMapKeyRef/name"), ...both("envFrom/configMapRef/name")),
    ],
  },
  {
    kind: "Secret",
    group: "",
    fields: [
      ...inPods("volumes/secret/secretName", "volumes/projected/sources/secret/name", "imagePullSecrets/name"),
      ...inPods(...both("env/valueFrom/secretKeyRef/name"), ...both("envFrom/secretRef/name")),
      { kind: "Ingress", path: "spec/tls/secretName" },
      { kind: "ServiceAccount", path: "imagePullSecrets/name" },
    ],
  },
];
