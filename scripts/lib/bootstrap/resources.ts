// The namespaces and Secrets that must exist before Flux, from bootstrap/resources.yaml.njk.
import type { Context } from "../run/context.ts";
import { describeStep, type Step } from "../run/plan.ts";
import type { KubernetesObject } from "../kubernetes/kubernetes.ts";
import { refFor, renderTemplate } from "../text/template.ts";
import type { Seen } from "./stage.ts";
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

export const nameOf = ({ kind, metadata: { namespace, name } }: Resource) => `${kind} ${namespace ? `${namespace}/` : ""}${name}`;

/** What applying one object changes: the whole object if it does not exist, otherwise these fields. */
export interface ResourceChange {
  resource: Resource;
  create: boolean;
  fields: FieldChange[];
}

interface FieldChange {
  /** "label app", "data token". */
  field: string;
  /** It replaces a value that the cluster has. */
  replaces: boolean;
  /** `from "a" to "b"`, where neither value can be secret. */
  values?: string;
  /** The old value is lost, because the plan does not show it. */
  lost?: boolean;
}

/** Objects that do not exist, or whose labels, annotations or data are not as wanted. Values of Secrets are compared, never shown. */
export function compareResources(wanted: readonly Resource[], found: readonly Resource[]): ResourceChange[] {
  return wanted.flatMap((resource): ResourceChange[] => {
    const has = found.find((one) => nameOf(one) === nameOf(resource));
    if (!has) return [{ resource, create: true, fields: [] }];
    const secret = resource.kind === "Secret";
    const fields = [
      ...differing("label", resource.metadata.labels, has.metadata.labels, secret),
      ...differing("annotation", resource.metadata.annotations, has.metadata.annotations, secret),
      ...differing("data", encoded(resource.stringData), has.data, true),
    ];
    return fields.length > 0 ? [{ resource, create: false, fields }] : [];
  });
}

function differing(what: string, want: Record<string, string> = {}, has: Record<string, string> = {}, secret: boolean): FieldChange[] {
  return Object.entries(want).flatMap(([key, value]): FieldChange[] => {
    const old = has[key];
    if (old === value) return [];
    const field = `${what} ${key}`;
    if (old === undefined) return [{ field, replaces: false }];
    return [{ field, replaces: true, ...(secret ? { lost: true } : { values: `from "${old}" to "${value}"` }) }];
  });
}

const encoded = (data: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));

/** The state of the stage. Each object that is created and each field that is added or changed is a step. */
export function seeResources(wanted: readonly Resource[], found: readonly Resource[]): Seen<Resource[]> {
  const changes = compareResources(wanted, found);
  const saw = `${wanted.length - changes.length} of ${wanted.length} as wanted`;
  if (changes.length === 0) return { state: "done", saw };
  const losing = changes.filter(({ fields }) => fields.some(({ lost }) => lost));
  return {
    state: changes.length < wanted.length ? "partly" : "to do",
    saw,
    todo: changes.flatMap(linesOf),
    steps: changes.flatMap(stepsOf),
    ...(losing.length > 0 && {
      destroys: {
        what: losing.flatMap(({ resource, fields }) =>
          fields.filter(({ lost }) => lost).map(({ field }) => `${nameOf(resource)}: the value of ${field} in the cluster`),
        ),
        name: losing.map(({ resource }) => resource.metadata.name).join(","),
      },
    }),
    facts: changes.map(({ resource }) => resource),
  };
}

const stepsOf = ({ resource, create, fields }: ResourceChange): Step[] =>
  create
    ? [{ action: "create", target: nameOf(resource) }]
    : fields.map(({ field, replaces, lost }) => ({
        action: replaces ? `change ${field} of` : `add ${field} to`,
        target: nameOf(resource),
        ...(lost && { destroys: true }),
      }));

const linesOf = (change: ResourceChange): string[] =>
  stepsOf(change).map((step, at) => {
    const values = change.fields[at]?.values;
    return values === undefined ? describeStep(step) : `${describeStep(step)} ${values}`;
  });
