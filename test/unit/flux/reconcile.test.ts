// When Flux has to be told of a commit, and when it comes to it by itself.
import { expect, test } from "vitest";
import { needsReconcile, sourceOf } from "../../../scripts/lib/flux/flux.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes/kubernetes.ts";

const at = (commit: string) => `refs/heads/main@sha1:${commit}`;
const source = (fetched?: string): KubernetesObject => ({
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "GitRepository",
  metadata: { name: "flux-system", namespace: "flux-system" },
  status: { ...(fetched && { artifact: { revision: at(fetched) } }) } as KubernetesObject["status"],
});
const kustomization = (applied?: string): KubernetesObject => ({
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "a", namespace: "b" },
  spec: { sourceRef: { kind: "GitRepository", name: "flux-system" } },
  status: { ...(applied && { lastAppliedRevision: at(applied) }) } as KubernetesObject["status"],
});

test.each<[string, KubernetesObject[], string | undefined, boolean]>([
  ["an older commit was fetched", [source("old"), kustomization("old")], "new", true],
  ["an older commit was applied", [source("new"), kustomization("old")], "new", true],
  ["an older commit was applied, and what was pushed is unknown", [source("new"), kustomization("old")], undefined, true],
  ["nothing was fetched yet", [source(), kustomization()], "new", false],
  ["a first install still applies", [source("new"), kustomization()], "new", false],
  ["all is there", [source("new"), kustomization("new")], "new", false],
])("%s", (_, objects, head, needed) => expect(needsReconcile(sourceOf(objects)!, head)).toBe(needed));
