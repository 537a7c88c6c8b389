// One entry of `patches`: its text is a strategic merge patch or a list of JSON operations, for one object or for all that a target selects.
import { join } from "node:path";
import { groupOf, isObject } from "../object.ts";
import { readDocuments } from "../parse.ts";
import type { KubeObject, Source } from "../types.ts";
import type { Builder } from "./builder.ts";
import { dropEmpty } from "./fields.ts";
import { applyJsonPatch, isJsonPatch, type Operation } from "./json-patch.ts";
import { idOf, idsOf, remember, type Resource, sameId, showId } from "./resource.ts";
import { select, type Target } from "./select.ts";
import { mergePatch } from "./strategic.ts";

export interface Patch {
  patch?: string;
  path?: string;
  target?: Target;
  options?: { allowNameChange?: boolean; allowKindChange?: boolean };
}

const parsed = new Map<string, unknown[] | string>();

/** The documents of a patch's text, or what is wrong with it; the same text is in every child Kustomization, and read once. */
function documentsOf(text: string): unknown[] | string {
  const known = parsed.get(text);
  if (known) return known;
  const { documents, faults } = readDocuments(text);
  const found = faults[0] ? `line ${faults[0].line} of the patch: ${faults[0].message}` : documents.map(({ value }) => value);
  parsed.set(text, found);
  return found;
}

/** Applies a patch to the resources. */
export function applyPatch(builder: Builder, folder: string, resources: Resource[], patch: Patch, at: Source): void {
  const fail = (message: string) => builder.fail(at, message, "fix the patch or its target");
  const text = patch.patch ?? (patch.path === undefined ? undefined : builder.files.text(join(folder, patch.path)));
  if (text === undefined) return patch.path === undefined ? fail("a patch needs a patch or a path") : fail(`${patch.path} cannot be read`);
  const documents = documentsOf(text.trim());
  if (typeof documents === "string") return fail(documents);
  try {
    if (documents.length === 1 && isJsonPatch(documents[0])) return applyOperations(resources, documents[0], patch, fail);
    if (documents.length === 0 || !documents.every(isPatchObject)) return fail("is neither a manifest nor a list of operations");
    applyStrategic(resources, documents as KubeObject[], patch, fail);
  } catch (error) {
    fail((error as Error).message);
  }
}

const isPatchObject = (value: unknown): boolean => isObject(value);

function applyOperations(
  resources: Resource[],
  operations: readonly Operation[],
  { target }: Patch,
  fail: (message: string) => void,
): void {
  if (!target) return fail("a list of operations needs a target");
  for (const resource of select(resources, target)) {
    remember(resource);
    resource.object = applyJsonPatch(resource.object, operations);
  }
}

function applyStrategic(resources: Resource[], patches: KubeObject[], { target, options }: Patch, fail: (message: string) => void): void {
  if (target && patches.length > 1) return fail("several manifests in one patch cannot have a target");
  for (const patch of patches) {
    const id = idOf(patch);
    const chosen = target ? select(resources, target) : resources.filter((one) => idsOf(one).some((known) => sameId(known, id)));
    if (!target && chosen.length !== 1) return fail(`${chosen.length === 0 ? "nothing" : "more than one object"} is called ${showId(id)}`);
    for (const resource of chosen) {
      const { apiVersion, kind, metadata } = resource.object;
      const merged = mergePatch(resource.object, patch, groupOf(resource.object)) as KubeObject | undefined;
      if (!merged) {
        resources.splice(resources.indexOf(resource), 1);
        continue;
      }
      if (options?.allowNameChange || options?.allowKindChange) remember(resource);
      const name = options?.allowNameChange ? merged.metadata.name : metadata.name;
      merged.metadata = { ...merged.metadata, name };
      if (metadata.namespace === undefined) delete merged.metadata.namespace;
      else merged.metadata.namespace = metadata.namespace;
      merged.apiVersion = apiVersion;
      merged.kind = options?.allowKindChange ? merged.kind : kind;
      dropEmpty(merged);
      resource.object = merged;
    }
  }
}
