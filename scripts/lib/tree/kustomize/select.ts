// Which resources a patch is for: regular expressions over group, version, kind, name and namespace, and selectors of labels and annotations.
import { idOf, type Resource } from "./resource.ts";

export interface Target {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  labelSelector?: string;
  annotationSelector?: string;
}

/** The resources that a target selects. Throws for a pattern or selector that is none. */
export function select(resources: readonly Resource[], target: Target): Resource[] {
  const is = (pattern: string | undefined) => {
    if (!pattern) return () => true;
    const whole = new RegExp(`^(?:${pattern})$`);
    return (text: string) => whole.test(text);
  };
  const [group, version, kind, name, namespace] = [target.group, target.version, target.kind, target.name, target.namespace].map(is);
  const labels = readSelector(target.labelSelector);
  const annotations = readSelector(target.annotationSelector);
  return resources.filter((resource) => {
    const now = idOf(resource.object);
    const first = resource.before[0] ?? now;
    return (
      (namespace!(first.namespace) || namespace!(now.namespace)) &&
      (name!(first.name) || name!(now.name)) &&
      group!(now.group) &&
      version!(now.version) &&
      kind!(now.kind) &&
      labels(resource.object.metadata.labels ?? {}) &&
      annotations(resource.object.metadata.annotations ?? {})
    );
  });
}

/** Kubernetes' selector: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`. */
export function readSelector(text: string | undefined): (labels: Record<string, unknown>) => boolean {
  if (!text?.trim()) return () => true;
  const parts = text.split(/,(?![^(]*\))/).map((part) => requirement(part.trim()));
  return (labels) => parts.every((one) => one(labels));
}

function requirement(text: string): (labels: Record<string, unknown>) => boolean {
  const set = /^([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) => (key in labels && values.includes(String(labels[key]))) === (operator === "in");
  }
  const [, key = "", operator, value = ""] = /^([^\s!=]+)\s*(==?|!=)\s*(\S*)$/.exec(text) ?? [];
  if (operator === "!=") return (labels) => String(labels[key]) !== value || !(key in labels);
  if (operator) return (labels) => key in labels && String(labels[key]) === value;
  const [, no, alone] = /^(!?)\s*([^\s!=()]+)$/.exec(text) ?? [];
  if (!alone) throw new Error(`"${text}" is no selector`);
  return (labels) => alone in labels === !no;
}
