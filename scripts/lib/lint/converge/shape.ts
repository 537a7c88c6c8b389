// Manifests as they come: what should be a list of maps may be anything. What has another shape is the schemas' finding, and nothing to wait for.

// oxlint-disable-next-line typescript/no-explicit-any -- the schemas' shapes, not ours
export type Fields = Record<string, any>;

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The maps of a list, without whatever else stands in it. */
export const maps = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isMap) : []);

/** A map, or an empty one. */
export const fields = (value: unknown): Fields => (isMap(value) ? value : {});

/** The group of an `apiVersion` that may be missing. */
export const groupIn = (apiVersion: unknown) =>
  typeof apiVersion === "string" && apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
