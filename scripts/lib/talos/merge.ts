// A node's own documents over those of all: Talos' strategic merge, so that what stands in talos/nodes/ means what a patch for talosctl means.

export type Document = Record<string, unknown>;

/** Documents of one apiVersion, kind and name are merged, others are added; `$patch: delete` takes away a document, a map or an item of a list. */
export function mergeDocuments(base: readonly Document[], own: readonly Document[]): Document[] {
  const merged = [...base];
  for (const document of own) {
    const index = merged.findIndex((other) => identity(other) === identity(document));
    const gone = deletes(document);
    if (index < 0 && gone) throw new Error(`$patch: delete: there is no document ${titleOf(document)}`);
    if (index < 0) merged.push(document);
    else if (gone) merged.splice(index, 1);
    else merged[index] = mergeMaps(merged[index]!, document, String(document.kind ?? "v1alpha1"));
  }
  return merged;
}

/** `HostnameConfig`, `LinkConfig lan`; the one without a kind is v1alpha1. */
export const titleOf = ({ kind, name }: Document) =>
  kind === undefined ? "v1alpha1" : `${String(kind)}${name === undefined ? "" : ` ${String(name)}`}`;

const identity = ({ apiVersion, kind, name }: Document) => (kind === undefined ? "v1alpha1" : JSON.stringify([apiVersion, kind, name]));

/** Lists append, save for these, and a policy is a whole. */
const REPLACED = new Set([
  "v1alpha1.cluster.network.podSubnets",
  "v1alpha1.cluster.network.serviceSubnets",
  "v1alpha1.cluster.apiServer.auditPolicy",
  "NetworkRuleConfig.ingress",
  "NetworkRuleConfig.portSelector.ports",
]);
/** Lists whose items are merged by one of their keys. */
const KEYED = new Map([
  ["v1alpha1.cluster.apiServer.admissionControl", "name"],
  ["ExtensionServiceConfig.configFiles", "mountPath"],
]);

function mergeMaps(base: Document, own: Document, at: string): Document {
  const result = { ...base };
  for (const [key, value] of Object.entries(own)) {
    if (deletes(value)) delete result[key];
    else result[key] = key in base ? mergeValues(base[key], value, `${at}.${key}`) : value;
  }
  return result;
}

function mergeValues(base: unknown, own: unknown, at: string): unknown {
  if (REPLACED.has(at)) return own;
  if (Array.isArray(base) && Array.isArray(own)) return mergeLists(base, own, at);
  return isMap(base) && isMap(own) ? mergeMaps(base, own, at) : own;
}

function mergeLists(base: unknown[], own: unknown[], at: string): unknown[] {
  const key = KEYED.get(at);
  let result = [...base];
  for (const item of own) {
    const selector = deletes(item) ? Object.entries(item as Document).find(([name]) => name !== "$patch") : undefined;
    const same = key && isMap(item) ? result.findIndex((other) => isMap(other) && other[key] === item[key]) : -1;
    if (selector) result = result.filter((other) => !(isMap(other) && other[selector[0]] === selector[1]));
    else if (same >= 0) result[same] = mergeValues(result[same], item, `${at}[]`);
    else result.push(item);
  }
  return result;
}

const isMap = (value: unknown): value is Document => value !== null && typeof value === "object" && !Array.isArray(value);
const deletes = (value: unknown): boolean => isMap(value) && value.$patch === "delete";
