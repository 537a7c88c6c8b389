// The namespaces and Secrets that must exist before Flux, from bootstrap/resources.yaml.njk.
import type { Context } from "../run/context.ts";
import type { KubernetesObject } from "../kubernetes/kubernetes.ts";
import { refFor, renderTemplate } from "../text/template.ts";
import { parseDocuments, referencesOf } from "../text/yaml.ts";

const TEMPLATE = "bootstrap/resources.yaml.njk";

export interface Resource extends KubernetesObject {
  stringData?: Record<string, string>;
}

/** The objects, with references where secrets will be. */
export async function renderResources({ root, cluster }: Pick<Context, "root" | "cluster">): Promise<Resource[]> {
  return (await parseDocuments(await renderTemplate(root, TEMPLATE, { cluster, ref: refFor(cluster) }), TEMPLATE)) as Resource[];
}

export const resourceReferences = async (context: Pick<Context, "root" | "cluster">) => referencesOf(await renderResources(context));

const nameOf = ({ kind, metadata: { namespace, name } }: Resource) => `${kind} ${namespace ? `${namespace}/` : ""}${name}`;

/** Objects that are missing, or whose labels, annotations or data are not as wanted; by name. Values are compared, never shown. */
export function compareResources(wanted: Resource[], found: Resource[]): string[] {
  return wanted.flatMap((want) => {
    const has = found.find((one) => nameOf(one) === nameOf(want));
    if (!has) return [`${nameOf(want)}: create`];
    const differs = [
      ...lacks(want.metadata.labels, has.metadata.labels),
      ...lacks(want.metadata.annotations, has.metadata.annotations),
      ...lacks(encoded(want.stringData), has.data),
    ];
    return differs.length ? [`${nameOf(want)}: change ${differs.join(", ")}`] : [];
  });
}

const lacks = (want: Record<string, string> = {}, has: Record<string, string> = {}) =>
  Object.keys(want).filter((key) => want[key] !== has[key]);
const encoded = (data: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
