// The stages in which kustomize-controller applies a set (fluxcd/pkg/ssa, ApplyAllStaged): each is dry-run whole on the server before any of it is written, and waited for before the next begins.
import { groupOf } from "../../tree/object.ts";
import type { KubeObject, Located } from "../../tree/types.ts";

/** What defines the cluster for others. */
const isDefinition = (object: KubeObject) =>
  (object.kind === "CustomResourceDefinition" && groupOf(object) === "apiextensions.k8s.io") ||
  (object.kind === "Namespace" && groupOf(object) === "") ||
  (object.kind === "ClusterRole" && groupOf(object) === "rbac.authorization.k8s.io");

export interface ApplyStage {
  name: "definitions" | "classes" | "the rest";
  objects: Located[];
}

/** The stages that have objects, in their order. */
export function applyStagesOf(objects: readonly Located[]): ApplyStage[] {
  const stages: ApplyStage[] = [
    { name: "definitions", objects: [] },
    { name: "classes", objects: [] },
    { name: "the rest", objects: [] },
  ];
  for (const located of objects) {
    const { object } = located;
    stages[isDefinition(object) ? 0 : object.kind.endsWith("Class") ? 1 : 2]!.objects.push(located);
  }
  return stages.filter(({ objects }) => objects.length > 0);
}
