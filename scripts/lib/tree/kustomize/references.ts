// What changes last in a build: generated names get the hash of their content, and what named them follows.
import { groupOf } from "../object.ts";
import { eachField, type FieldSpec, fits } from "./fields.ts";
import { contentHash } from "./generators.ts";
import { idOf, isClusterScoped, remember, type Resource } from "./resource.ts";
import { NAME_REFERENCES } from "./specs.ts";

export interface NameReference {
  kind: string;
  group: string;
  fields: FieldSpec[];
}

/** Puts the hash behind the name of everything that was generated with one. */
export function addHashes(resources: readonly Resource[]): void {
  for (const resource of resources.filter(({ hashed }) => hashed)) {
    remember(resource);
    resource.object.metadata.name += `-${contentHash(resource.object)}`;
  }
}

/** Lets every field that names a renamed object name it by its present name; bindings follow their service accounts' namespace too. */
export function fixReferences(resources: readonly Resource[], own: readonly NameReference[]): void {
  const changed = resources.filter(({ before, object }) => before.some(({ name }) => name !== object.metadata.name));
  for (const { kind, group, fields } of changed.length > 0 ? [...NAME_REFERENCES, ...own] : []) {
    const named = changed.filter(({ object }) => object.kind === kind && groupOf(object) === group);
    if (named.length === 0) continue;
    for (const referrer of resources)
      for (const field of fields.filter((one) => fits(one, idOf(referrer.object))))
        eachField(referrer.object, { path: field.path }, (holder, key) => {
          const found = named.find((one) => one.before.some(({ name }) => name === holder[key]) && reaches(referrer, one));
          if (found) holder[key] = found.object.metadata.name;
        });
  }
  for (const binding of resources.filter(({ object }) => /^(Cluster)?RoleBinding$/.test(object.kind))) fixSubjects(binding, resources);
}

const reaches = (referrer: Resource, referred: Resource) =>
  isClusterScoped(referrer.object) || idOf(referrer.object).namespace === idOf(referred.object).namespace;

function fixSubjects(binding: Resource, resources: readonly Resource[]): void {
  const subjects: unknown = binding.object.subjects;
  if (!Array.isArray(subjects)) return;
  const accounts = resources.filter(({ object, before }) => object.kind === "ServiceAccount" && before.length > 0);
  for (const subject of subjects as { name?: string; namespace?: string }[]) {
    const there = (one: Resource) => {
      const at = subject.namespace;
      if (at === undefined) return true;
      const grouped = accounts.filter(({ before }) => before[0]!.namespace === at);
      return grouped.length > 0 ? grouped.includes(one) : idOf(one.object).namespace === at;
    };
    const found = accounts.filter((one) => one.before.some(({ name }) => name === subject.name) && there(one));
    if (found.length !== 1 || found[0]!.object.metadata.namespace === undefined) continue;
    subject.name = found[0]!.object.metadata.name;
    subject.namespace = found[0]!.object.metadata.namespace;
  }
}
