// A whole day with a real API server behind the world: it ends as in the embedded cluster, and every object of the project is one that the API server takes.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { renderTemplate } from "../../../scripts/lib/text/template.ts";
import { helmfile } from "../../simulators/cli/helmfile/helmfile.ts";
import { kubectl } from "../../simulators/cli/kubectl/kubectl.ts";
import { normalised, nodeReady } from "../../simulators/world/cluster/cluster.ts";
import { rendered } from "../../simulators/world/flux/kustomize.ts";
import { manifests } from "../../simulators/world/kustomize/kustomize.ts";
import { entriesOf } from "../../simulators/world/cluster/store.ts";
import { clusterWorld, worldRepository } from "../../lab/simulators/cluster/cluster-world.ts";
import { wholeDefinition } from "../../simulators/world/cluster/definitions.ts";
import { type RealCluster, realCluster, withoutWarnings } from "./real-cluster.ts";
import { releasesOf, upgrade } from "./stub-charts.ts";

const APPS = ["cilium", "coredns", "spegel", "cert-manager", "external-secrets", "flux-operator", "flux-instance"];
const CRDS = "--file bootstrap/helmfile.d/00-crds.yaml --quiet template --include-crds --no-hooks";
const APPLY = "apply --server-side --force-conflicts --field-manager home-ops-bootstrap --filename -";
const sync = (name: string) => `--file bootstrap/helmfile.d/01-apps.yaml --selector name=${name} sync --hide-notes`;

let home: RealCluster;
let wanted: any;
let resources: string;
beforeAll(async () => {
  resources = await renderTemplate(worldRepository(), "bootstrap/resources.yaml.njk", { ref: () => "x" });
  const embedded = await clusterWorld();
  embedded.settle();
  expect(await embedded.run(kubectl, APPLY, resources)).toMatchObject({ code: 0 });
  const definitions = manifests((await embedded.run(helmfile, CRDS)).out)
    .filter(({ kind }) => kind === "CustomResourceDefinition")
    .map((definition) => JSON.stringify(wholeDefinition(definition)))
    .join("\n---\n");
  expect(await embedded.run(kubectl, APPLY, definitions)).toMatchObject({ code: 0 });
  embedded.settle();
  for (const name of APPS) expect(await embedded.run(helmfile, sync(name))).toMatchObject({ code: 0 });
  embedded.settle();
  wanted = normalised(embedded.world);
  embedded.end(); // its clock would go on beside the real one

  home = await realCluster();
  await home.settle();
  expect(await home.apply(resources, "--validate=strict")).toMatchObject({ code: 0 });
  expect(await home.apply(definitions)).toMatchObject({ code: 0 });
  await home.settle(60);
  for (const release of await releasesOf("bootstrap/helmfile.d/01-apps.yaml"))
    expect(withoutWarnings(await upgrade(home, release))).toMatchObject({ code: 0, err: "" });
  expect(nodeReady(home.world.state, "k8s-0")).toBe(true);
  await home.settle(400);
});
afterAll(() => home.end());

test("ends as in the embedded cluster, without a write that a real API server refuses", () => {
  expect(home.refused()).toEqual([]);
  const seen = normalised(home.world) as any;
  expect(seen.objects.map(({ key }: any) => key)).toEqual(wanted.objects.map(({ key }: any) => key));
  expect(seen).toEqual(wanted);
});

test("every object that Flux applies is taken with strict validation", async () => {
  const kustomizations = entriesOf(home.world.state.cluster, "kustomizations.kustomize.toolkit.fluxcd.io");
  const objects = kustomizations.flatMap(({ object }) => rendered(object, join(home.folder, "repo")));
  // what SOPS has added is gone before Flux applies a Secret
  const text = objects.map(({ sops: _, ...object }) => stringify(object)).join("---\n");
  const words = ["--server-side", "--validate=strict", "--force-conflicts", "--dry-run=server", "--field-manager", "kustomize-controller"];
  const said = await home.run("kubectl", ["apply", ...words, "--filename", "-"], text);
  expect(withoutWarnings(said)).toMatchObject({ code: 0, err: "" });
  expect(said.out.trim().split("\n")).toHaveLength(objects.length);
});
