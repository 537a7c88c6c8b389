// The lint's simulation of applying, against Flux's own module and a real API server: the same sets, repeated until nothing changes, leave the same objects.
import { afterAll, beforeAll, expect, it } from "vitest";
import { existsKey } from "../../../scripts/lib/lint/converge/keys.ts";
import { modelOf } from "../../../scripts/lib/lint/converge/model.ts";
import { run } from "../../../scripts/lib/lint/converge/state.ts";
import { worldOf } from "../../../scripts/lib/lint/converge/world.ts";
import type { KubeObject } from "../../../scripts/lib/tree/types.ts";
import { kustomization, namespaces, object, tree } from "../../unit/lint/converge/tree.ts";
import { type ApiServer, apiServer } from "./api-server.ts";

let server: ApiServer;
beforeAll(async () => void (server = await apiServer()));
afterAll(() => server?.end());

/** A definition of a kind; `Cluster…` kinds have no namespace. */
const definition = (group: string, kind: string) =>
  object(`apiextensions.k8s.io/v1 CustomResourceDefinition ${kind.toLowerCase()}s.${group}`, {
    spec: {
      group,
      scope: kind.startsWith("Cluster") || kind.endsWith("Class") ? "Cluster" : "Namespaced",
      names: { kind, plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
const config = (id: string) => object(`v1 ConfigMap ${id}`, { data: { a: "b" } });
const role = (name: string) => object(`rbac.authorization.k8s.io/v1 ClusterRole ${name}`, { rules: [] });
const storage = (name: string) => object(`storage.k8s.io/v1 StorageClass ${name}`, { provisioner: "nobody" });

/** Sets of objects, one for each Kustomization, in the order in which they are tried; and what exists beforehand. */
const CASES: Record<string, { before?: KubeObject[]; sets: KubeObject[][] }> = {
  "definitions and namespaces come before what needs them": {
    sets: [[object("a.example/v1 Thing a/thing"), config("a/config"), definition("a.example", "Thing"), ...namespaces("a")]],
  },
  "an unknown kind keeps the whole last stage back; namespaces, roles and classes stay": {
    sets: [[...namespaces("b"), role("b"), storage("b"), config("b/config"), object("b.example/v1 Thing b/thing")]],
  },
  "a missing namespace does the same": {
    sets: [[storage("c"), config("c-missing/config"), ...namespaces("c"), config("c/config")]],
  },
  "a class of an unknown kind keeps back the classes and what comes after": {
    sets: [[...namespaces("d"), storage("d"), object("d.example/v1 ThingClass d"), config("d/config")]],
  },
  "a class whose definition is in the set": {
    sets: [[definition("e.example", "ThingClass"), object("e.example/v1 ThingClass e"), ...namespaces("e"), config("e/config")]],
  },
  "what one set brings, another finds at its next attempt": {
    sets: [
      [object("f.example/v1 Thing f/thing"), config("f/first")],
      [definition("f.example", "Thing"), ...namespaces("f"), config("f/second")],
    ],
  },
  "two sets that wait for each other's last stage": {
    before: namespaces("g"),
    sets: [
      [definition("g.example", "One"), object("g.example/v1 Two g/two")],
      [config("g/other"), object("g.example/v1 Missing g/missing"), definition("g.example", "Two")],
    ],
  },
  "a release beside what its chart would define": {
    before: [...namespaces("h"), definition("helm.toolkit.fluxcd.io", "HelmRelease")],
    sets: [[object("helm.toolkit.fluxcd.io/v1 HelmRelease h/h", { spec: {} }), object("h.example/v1 Thing h/thing"), config("h/config")]],
  },
  "a custom kind without a namespace, into which kustomize has written one": {
    before: [definition("cert-manager.io", "ClusterIssuer")],
    sets: [[object("cert-manager.io/v1 ClusterIssuer i-missing/issuer", { spec: {} })]],
  },
};

/** `ConfigMap/a/config` of everything that exists in the end by the simulation. */
function simulated(before: KubeObject[], sets: KubeObject[][]): string[] {
  const kustomizations = sets.map((objects, index) => kustomization(`flux-system/set-${index}`, {}, ...objects));
  const world = worldOf(tree({ objects: before }, ...kustomizations), { charts: {} });
  const model = modelOf(world);
  const state = run(model.steps, model.given);
  return sets
    .flat()
    .filter((one) => state.reached.has(existsKey(one)))
    .map(subject)
    .sort();
}

const subject = (one: KubeObject) => {
  const [, id = ""] = existsKey(one).split(":");
  const [kind = "", namespace, name] = id.split("/");
  return [kind.split(".")[0], namespace, name].filter(Boolean).join("/");
};

it.each(Object.entries(CASES))("%s", async (_, { before = [], sets }) => {
  expect((await server.apply(before)).error).toBeUndefined();
  const applied = new Set<string>();
  for (let grown = true; grown;) {
    const size = applied.size;
    for (const objects of sets) for (const one of (await server.apply(objects)).applied) applied.add(one);
    grown = applied.size > size;
  }
  expect([...applied].sort()).toEqual(simulated(before, sets));
});
