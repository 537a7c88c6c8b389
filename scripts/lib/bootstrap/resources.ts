// The namespaces and Secrets that must exist before Flux, from bootstrap/resources.yaml.njk.
import type { Context } from "../run/context.ts";
import { describeStep, type Step } from "../run/plan.ts";
import type { KubernetesObject } from "../kubernetes/kubernetes.ts";
import { refFor, renderTemplate } from "../text/template.ts";
import type { StageState } from "./stage.ts";
import { parseDocuments, referencesOf } from "../text/yaml.ts";

const TEMPLATE = "bootstrap/resources.yaml.njk";

export interface Resource extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { managedFields?: ManagedFields[] };
  stringData?: Record<string, string>;
}

/** Which fields a field manager has set; a server-side apply of it removes those that it no longer sends. */
interface ManagedFields {
  manager?: string;
  operation?: string;
  fieldsV1?: Record<string, Record<string, unknown>>;
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
  change: "add" | "replace" | "remove";
  /** `from "a" to "b"`, where neither value can be secret. */
  values?: string;
  /** The old value is lost, because the plan does not show it. */
  lost?: boolean;
}

/** The field manager of `kubectl apply`: server-side apply removes each field that it set earlier and that is no longer wanted. */
export const FIELD_MANAGER = "home-ops-bootstrap";

/** Objects that do not exist, or whose labels, annotations or data are not as wanted. Values of Secrets are compared, never shown. */
export function compareResources(wanted: readonly Resource[], found: readonly Resource[]): ResourceChange[] {
  return wanted.flatMap((resource): ResourceChange[] => {
    const has = found.find((one) => nameOf(one) === nameOf(resource));
    if (!has) return [{ resource, create: true, fields: [] }];
    const secret = resource.kind === "Secret";
    const data = encoded(resource.stringData);
    const fields = [
      ...differing("label", resource.metadata.labels, has.metadata.labels, secret),
      ...differing("annotation", resource.metadata.annotations, has.metadata.annotations, secret),
      ...differing("data", data, has.data, true),
      ...dropped(data, has),
    ];
    return fields.length > 0 ? [{ resource, create: false, fields }] : [];
  });
}

function differing(what: string, want: Record<string, string> = {}, has: Record<string, string> = {}, secret: boolean): FieldChange[] {
  return Object.entries(want).flatMap(([key, value]): FieldChange[] => {
    const old = has[key];
    if (old === value) return [];
    const field = `${what} ${key}`;
    if (old === undefined) return [{ field, change: "add" }];
    return [{ field, change: "replace", ...(secret ? { lost: true } : { values: `from "${old}" to "${value}"` }) }];
  });
}

/** The values that an apply removes: an earlier one set them, and they are no longer wanted. A key that another field manager set stays. */
function dropped(want: Record<string, string>, { data = {}, metadata: { managedFields = [] } }: Resource): FieldChange[] {
  const own = managedFields.filter(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
  const set = new Set(own.flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.["f:data"] ?? {}).map((key) => key.replace(/^f:/, ""))));
  const others = managedFields.filter((one) => !own.includes(one));
  const shared = (key: string) => others.some(({ fieldsV1 }) => fieldsV1?.["f:data"]?.[`f:${key}`] !== undefined);
  return Object.keys(data)
    .filter((key) => want[key] === undefined && set.has(key) && !shared(key))
    .map((key) => ({ field: `data ${key}`, change: "remove", lost: true }));
}

const encoded = (data: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));

/** The state of the stage. Each object that is created and each field that is added or changed is a step. */
export function seeResources(wanted: readonly Resource[], found: readonly Resource[]): StageState<Resource[]> {
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

const WORDS = { add: ["add", "to"], replace: ["change", "of"], remove: ["remove", "from"] } as const;

const stepsOf = ({ resource, create, fields }: ResourceChange): Step[] =>
  create
    ? [{ action: "create", target: nameOf(resource) }]
    : fields.map(({ field, change, lost }) => ({
        action: `${WORDS[change][0]} ${field} ${WORDS[change][1]}`,
        target: nameOf(resource),
        ...(lost && { destroys: true }),
      }));

const linesOf = (change: ResourceChange): string[] =>
  stepsOf(change).map((step, at) => {
    const values = change.fields[at]?.values;
    return values === undefined ? describeStep(step) : `${describeStep(step)} ${values}`;
  });
