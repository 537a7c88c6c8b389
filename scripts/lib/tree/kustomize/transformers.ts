// The transformers of a kustomization that write into every object: namespace, labels, annotations, images.
import type { KubeObject } from "../types.ts";
import { eachField, type FieldSpec, fits } from "./fields.ts";
import { idOf, isClusterScoped, remember, type Resource } from "./resource.ts";
import { ANNOTATIONS, IMAGES, METADATA_LABELS, SELECTOR_LABELS, TEMPLATE_LABELS } from "./specs.ts";

export interface Label {
  pairs?: Record<string, string>;
  includeSelectors?: boolean;
  includeTemplates?: boolean;
  fields?: FieldSpec[];
}

export interface Image {
  name: string;
  newName?: string;
  newTag?: string;
  digest?: string;
}

/** Puts everything that is not cluster-scoped into a namespace, and gives Namespaces its name. */
export function setNamespace(resources: readonly Resource[], namespace: string): void {
  for (const resource of resources) {
    const { object } = resource;
    remember(resource);
    if (!isClusterScoped(object)) object.metadata.namespace = namespace;
    if (object.apiVersion === "v1" && object.kind === "Namespace") object.metadata.name = namespace;
    if (object.kind === "APIService") eachField(object, { path: "spec/service/namespace", create: true }, put(namespace));
    if (object.kind === "CustomResourceDefinition")
      eachField(object, { path: "spec/conversion/webhook/clientConfig/service/namespace" }, put(namespace));
    if (/^(Cluster)?RoleBinding$/.test(object.kind))
      for (const subject of (object.subjects ?? []) as { name?: string; namespace?: string }[])
        if (subject.name === "default") subject.namespace = namespace;
  }
}

const put = (value: unknown) => (holder: Record<string, unknown>, key: string) => void (holder[key] = value);

/** One entry of `labels`. */
export function addLabels(resources: readonly Resource[], { pairs = {}, includeSelectors, includeTemplates, fields = [] }: Label): void {
  const specs = includeSelectors
    ? [...fields, ...SELECTOR_LABELS]
    : [...fields, ...(includeTemplates ? TEMPLATE_LABELS : []), METADATA_LABELS];
  addPairs(resources, specs, pairs);
}

export const addCommonLabels = (resources: readonly Resource[], pairs: Record<string, string>) =>
  addPairs(resources, SELECTOR_LABELS, pairs);

export const addAnnotations = (resources: readonly Resource[], pairs: Record<string, string>) => addPairs(resources, ANNOTATIONS, pairs);

function addPairs(resources: readonly Resource[], specs: readonly FieldSpec[], pairs: Record<string, string>): void {
  for (const { object } of resources)
    for (const spec of specs.filter((one) => fits(one, idOf(object))))
      eachField(object, spec, (holder, key) => {
        const before = holder[key];
        holder[key] = { ...(typeof before === "object" && before !== null ? before : {}), ...pairs };
      });
}

/** One entry of `images`, in every pod template that is a built-in kind's or looks like one. */
export function setImage(resources: readonly Resource[], image: Image): void {
  for (const { object } of resources) {
    if (object.kind === "CustomResourceDefinition") continue;
    const set = (holder: Record<string, unknown>, key: string) => {
      if (typeof holder[key] === "string") holder[key] = withImage(holder[key], image);
    };
    for (const spec of IMAGES) eachField(object, { path: spec.path }, set);
    eachContainer(object, set);
  }
}

/** kustomize's legacy filter: every list called containers or initContainers, wherever it stands. */
function eachContainer(value: unknown, set: (holder: Record<string, unknown>, key: string) => void): void {
  if (Array.isArray(value)) return value.forEach((one) => eachContainer(one, set));
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if ((key === "containers" || key === "initContainers") && Array.isArray(inner))
      for (const one of inner as Record<string, unknown>[])
        if (typeof one === "object" && one !== null && "image" in one) set(one, "image");
    eachContainer(inner, set);
  }
}

function withImage(text: string, { name, newName, newTag, digest }: Image): string {
  const [, was = "", tag = "", hash = ""] = /^(.+?)(:[^:@/]+)?(@.+)?$/.exec(text)!;
  if (was !== name) return text;
  const end = digest ? `${newTag ? `:${newTag}` : ""}@${digest}` : newTag ? `:${newTag}` : `${tag}${hash}`;
  return `${newName || was}${end}`;
}

/** Whether an object is a marker for tools alone (`config.kubernetes.io/local-config`): kustomize drops it in the end. */
export const isLocal = ({ metadata }: KubeObject) =>
  metadata.annotations?.["config.kubernetes.io/local-config"] !== undefined &&
  metadata.annotations["config.kubernetes.io/local-config"] !== "false";
