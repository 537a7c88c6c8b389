// What somebody stated of an object. A real API server fills in the rest (defaults, its own bookkeeping), and nobody's managed fields name that:
import type { KubeObject } from "../../world/cluster/state.ts";
// without it an object is the same as in the embedded cluster, which fills in nothing.

interface Manager {
  manager: string;
  subresource?: string;
  fieldsV1?: Fields;
}
type Fields = { [field: string]: Fields };

/** The API server itself, as it signs what it writes. */
const SERVER = "kube-apiserver";

/** Whether nobody but the API server has written this: its own Service, RBAC defaults, flow schemas. */
export const isServersOwn = ({ metadata }: KubeObject): boolean => {
  const managers = (metadata.managedFields ?? []) as Manager[];
  return managers.length > 0 && managers.every(({ manager }) => manager === SERVER);
};

/** The object with its metadata and status as they are, and of the rest what its managed fields name. */
export function statedOf(object: KubeObject): KubeObject {
  const { managedFields = [], annotations, ...metadata } = object.metadata as KubeObject["metadata"] & { managedFields?: Manager[] };
  const { apiVersion, kind, status, metadata: _, ...body } = object;
  const owned = managedFields.flatMap(({ subresource, fieldsV1 }) => (subresource === undefined && fieldsV1 ? [fieldsV1] : []));
  const within = (sets: Fields[], field: string) => sets.flatMap((fields) => fields[`f:${field}`] ?? []);
  // such as the generation of a DaemonSet's template, which the API server counts
  const kept = named(annotations, within(within(owned, "metadata"), "annotations")) as Record<string, string> | undefined;
  const stated: KubeObject = {
    apiVersion,
    kind,
    metadata: { ...metadata, ...(kept && { annotations: kept }) },
    ...(status !== undefined && { status }),
  };
  // a Namespace's spec is the API server's own list of finalizers
  if (kind === "Namespace") return stated;
  // what was stated as stringData is owned under that name, and kept under another
  if (kind === "Secret") return { ...stated, ...body };
  if (kind === "CustomResourceDefinition") return { ...stated, spec: withoutSchemas(body.spec) };
  for (const [field, value] of Object.entries(body)) {
    const said = named(value, within(owned, field));
    if (said !== undefined) stated[field] = said;
    else if (field === "spec") stated.spec = {};
  }
  return stated;
}

/** Of a value what these sets of fields name; a set without any names all of it. */
function named(value: unknown, sets: Fields[]): unknown {
  if (sets.length === 0) return undefined;
  if (value === null || typeof value !== "object" || sets.some((fields) => Object.keys(fields).length === 0)) return value;
  if (Array.isArray(value))
    return value.flatMap((element) => {
      const kept = named(
        element,
        sets.flatMap((fields) => Object.entries(fields).flatMap(([field, of]) => (isElement(field, element) ? [of] : []))),
      );
      return kept === undefined ? [] : [kept];
    });
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const of = named(
      inner,
      sets.flatMap((fields) => fields[`f:${name}`] ?? []),
    );
    return of === undefined ? [] : [[name, of] as const];
  });
  return Object.fromEntries(kept);
}

/** Whether `k:{"name":"x"}` or `v:"x"` names this element of a list. */
function isElement(field: string, element: unknown): boolean {
  if (field.startsWith("v:")) return JSON.stringify(element) === JSON.stringify(JSON.parse(field.slice(2)));
  if (!field.startsWith("k:") || element === null || typeof element !== "object") return false;
  return Object.entries(JSON.parse(field.slice(2)) as object).every(([key, value]) => (element as Record<string, unknown>)[key] === value);
}

/** Of a definition what names it: schemas are megabytes, and no controller reads them. */
const withoutSchemas = ({ group, names, scope, versions }: any) => ({
  group,
  names,
  scope,
  versions: versions.map(({ name, served, storage }: any) => ({ name, served, storage })),
});
