// When Flux has to be told of a commit, and when it comes to it by itself.
import { describe, expect, test } from "vitest";
import { lacks, needsReconcile, sourceOf } from "../../../scripts/lib/flux/flux.ts";
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
  ["all is there, but what was pushed is unknown", [source("new"), kustomization("new")], undefined, true],
  ["a first install still applies", [source("new"), kustomization()], "new", false],
  ["all is there", [source("new"), kustomization("new")], "new", false],
])("%s", (_, objects, head, needed) => expect(needsReconcile(sourceOf(objects)!, head)).toBe(needed));

describe("a request to reconcile", () => {
  const AT = "2026-12-01T04:00:00.000Z";
  const LATER = "2026-12-01T04:00:05.000Z";
  const requested = (kind: string, asked: string | undefined, handled: string | undefined): KubernetesObject => ({
    ...(kind === "GitRepository" ? source("old") : kustomization("old")),
    kind,
    metadata: {
      name: "flux-system",
      namespace: "flux-system",
      ...(asked && { annotations: { "reconcile.fluxcd.io/requestedAt": asked } }),
    },
    status: {
      artifact: { revision: at("old") },
      lastAppliedRevision: at("old"),
      ...(handled && { lastHandledReconcileAt: handled }),
    } as KubernetesObject["status"],
  });
  const waits = (of: string) => `${of} flux-system has not handled the request of ${AT}`;
  test.each<[string, [string?, string?], [string?, string?], string | undefined]>([
    ["is open while nobody has handled it", [AT], [AT], waits("GitRepository")],
    ["is open while an earlier one was handled", [AT, "earlier"], [AT, "earlier"], waits("GitRepository")],
    ["is open until the Kustomization has handled it too", [AT, AT], [AT, "earlier"], waits("Kustomization")],
    ["is done when both have handled it", [AT, AT], [AT, AT], undefined],
    ["is done with a later one of somebody else", [LATER, LATER], [AT, AT], undefined],
    ["is open while a later one of somebody else is", [LATER, "earlier"], [AT, AT], waits("GitRepository")],
    ["is open when its annotation was removed before it was handled", [undefined, undefined], [AT, AT], waits("GitRepository")],
  ])("%s, whatever commit Flux has", (_, git, kustomize, missing) => {
    const objects = [requested("GitRepository", git[0], git[1]), requested("Kustomization", kustomize[0], kustomize[1])];
    expect(lacks(sourceOf(objects), undefined, AT)).toBe(missing);
  });
  test("is open without the Kustomization", () =>
    expect(lacks(sourceOf([requested("GitRepository", AT, AT)]), undefined, AT)).toBe(waits("Kustomization")));
});
