// A node's own documents over those of all: Talos' strategic merge, as far as whole documents need it.

export type Document = Record<string, unknown>;

/** Documents of one apiVersion, kind and name are merged; others are added. Maps merge, lists append, everything else replaces. */
export function mergeDocuments(base: Document[], own: Document[]): Document[] {
  const merged = [...base];
  for (const document of own) {
    const index = merged.findIndex((other) => identity(other) === identity(document));
    if (index < 0) merged.push(document);
    else merged[index] = merge(merged[index], document) as Document;
  }
  return merged;
}

/** The v1alpha1 document has neither kind nor name. */
const identity = ({ apiVersion, kind, name }: Document) => (kind === undefined ? "v1alpha1" : JSON.stringify([apiVersion, kind, name]));

function merge(base: unknown, own: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(own)) return [...base, ...own];
  if (!isMap(base) || !isMap(own)) return own;
  const keys = new Set([...Object.keys(base), ...Object.keys(own)]);
  return Object.fromEntries([...keys].map((key) => [key, key in own ? (key in base ? merge(base[key], own[key]) : own[key]) : base[key]]));
}

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === "object" && !Array.isArray(value);
