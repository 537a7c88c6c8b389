// A whole day with a real API server behind the world: it ends as in the embedded cluster.
import { afterEach, expect, test } from "vitest";
import { helmfile } from "../../simulators/cli/helmfile.ts";
import { kubectl } from "../../simulators/cli/kubectl.ts";
import { normalised, nodeReady } from "../../simulators/world/cluster.ts";
import { type ClusterWorld, clusterWorld } from "../../lab/simulators/cluster/cluster-world.ts";
import { manifests } from "../../simulators/world/cluster-kustomize.ts";
import { type RealCluster, realCluster } from "./real-cluster.ts";

const APPS = ["cilium", "coredns", "spegel", "cert-manager", "external-secrets", "flux-operator", "flux-instance"];
const RESOURCES = `${["cert-manager", "external-secrets", "flux-system", "kube-system"].map((name) => `---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`).join("")}---
apiVersion: v1
kind: Secret
metadata:
  name: onepassword-secret
  namespace: external-secrets
stringData:
  token: abc
`;
const CRDS = "--file bootstrap/helmfile.d/00-crds.yaml --quiet template --include-crds --no-hooks";
const sync = (name: string) => `--file bootstrap/helmfile.d/01-apps.yaml --selector name=${name} sync --hide-notes`;

let home: RealCluster;
let embedded: ClusterWorld;
afterEach(async () => {
  await home?.end();
  embedded?.end();
});

test("ends with everything ready, and as in the embedded cluster", async () => {
  embedded = await clusterWorld();
  embedded.settle();
  const line = "apply --server-side --force-conflicts --field-manager home-ops-bootstrap --filename -";
  expect(await embedded.run(kubectl, line, RESOURCES)).toMatchObject({ code: 0 });
  const definitions = manifests((await embedded.run(helmfile, CRDS)).out)
    .filter(({ kind }) => kind === "CustomResourceDefinition")
    .map((definition) => JSON.stringify(definition))
    .join("\n---\n");
  expect(await embedded.run(kubectl, line, definitions)).toMatchObject({ code: 0 });
  embedded.settle();
  for (const name of APPS) expect(await embedded.run(helmfile, sync(name))).toMatchObject({ code: 0 });
  embedded.settle();
  const wanted = normalised(embedded.world) as any;

  home = await realCluster();
  await home.settle();
  expect(await home.apply(RESOURCES)).toMatchObject({ code: 0 });
  expect(await home.apply(definitions)).toMatchObject({ code: 0 });
  await home.settle();
  for (const name of APPS) expect(await home.standIn(helmfile, sync(name))).toMatchObject({ code: 0, out: "" });
  expect(nodeReady(home.world.state, "k8s-0")).toBe(true);
  await home.settle(90);
  expect(home.refused()).toEqual([]);
  const seen = normalised(home.world) as any;
  expect(seen.objects.map(({ key }: any) => key)).toEqual(wanted.objects.map(({ key }: any) => key));
  expect(seen).toEqual(wanted);
});
