// Where the schema of a kind is: in crds/<group>/ for custom kinds, in kubernetes/<version>/ for the built-in ones.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { groupOf, versionOf } from "../../tree/object.ts";
import type { KubeObject } from "../../tree/types.ts";
import { whenPresentNow } from "../../run/files.ts";

export const SCHEMAS = join(import.meta.dirname, "../../../lint/schemas");

/** The path of a kind's schema, from SCHEMAS; where it would be, if it is not there. */
export function schemaPath(object: Pick<KubeObject, "apiVersion" | "kind">, kubernetes: string): string {
  const [group, version, kind] = [groupOf(object), versionOf(object), object.kind.toLowerCase()];
  const custom = `crds/${group}/${kind}_${version}.json`;
  if (group.includes(".") && existsSync(join(SCHEMAS, custom))) return custom;
  return isBuiltInGroup(group) ? `kubernetes/${kubernetes}/${[kind, group, version].filter(Boolean).join("_")}.json` : custom;
}

/** Groups of Kubernetes itself, which no CRD can have. */
const BUILT_IN =
  /^$|^(apps|autoscaling|batch|policy)$|^(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|internal\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage|storagemigration)\.k8s\.io$/;
export const isBuiltInGroup = (group: string) => BUILT_IN.test(group);

/** The versions of a kind that have a schema. */
export function versionsOf(object: Pick<KubeObject, "apiVersion" | "kind">): string[] {
  const folder = join(SCHEMAS, "crds", groupOf(object));
  const start = `${object.kind.toLowerCase()}_`;
  return (whenPresentNow(() => readdirSync(folder)) ?? [])
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length, -".json".length));
}

/** The Kubernetes versions whose built-in kinds have schemas. */
export const kubernetesVersions = (): string[] => readdirSync(join(SCHEMAS, "kubernetes"));
