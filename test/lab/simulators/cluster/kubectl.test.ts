// The stand-in for kubectl: its words, its output and its refusals.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { helmfile } from "../../../simulators/cli/helmfile/helmfile.ts";
import { kubectl } from "../../../simulators/cli/kubectl/kubectl.ts";
import { type ClusterWorld, clusterWorld } from "./cluster-world.ts";

let home: ClusterWorld;
beforeAll(async () => {
  home = await clusterWorld();
  home.settle();
});
afterAll(() => home.end());

const run = (line: string, stdin?: string) => home.run(kubectl, line, stdin);
const apply = (text: string) => run("apply --server-side --filename -", text);
const object = (kind: string, name: string, more = "", apiVersion = "v1") =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${more}`;

describe("get", () => {
  test("nodes, which are registered and not Ready without a CNI", async () => {
    const { items, kind } = JSON.parse((await run("get nodes --all-namespaces --output json")).out);
    expect(kind).toBe("List");
    expect(
      items.map(({ metadata, status }: any) => [metadata.name, status.conditions.find(({ type }: any) => type === "Ready").reason]),
    ).toEqual([
      ["k8s-0", "KubeletNotReady"],
      ["k8s-1", "KubeletNotReady"],
    ]);
  });
  test("names", async () =>
    expect((await run("get ns kube-system default -o name")).out).toBe("namespace/kube-system\nnamespace/default\n"));
  test.each([
    [
      "get fluxinstances.fluxcd.controlplane.io,nodes --all-namespaces --output json",
      `error: the server doesn't have a resource type "fluxinstances"\n`,
    ],
    ["get secret nope -n kube-system", 'Error from server (NotFound): secrets "nope" not found\n'],
    ["get deployment nope", 'Error from server (NotFound): deployments.apps "nope" not found\n'],
  ])("%s is refused", async (line, err) => expect(await run(line)).toMatchObject({ code: 1, err }));
  test("what is not there, without a word when it may be", async () =>
    expect(await run("get secret nope --ignore-not-found -o json")).toEqual({ code: 0, out: "", err: "" }));
  test("what manifests name", async () =>
    expect((await run("get -f - --ignore-not-found -o name", object("Namespace", "default") + object("Namespace", "nope"))).out).toBe(
      "namespace/default\n",
    ));
  test("nothing of a kind", async () =>
    expect(await run("get secrets")).toEqual({ code: 0, out: "", err: "No resources found in default namespace.\n" }));
});

describe("apply", () => {
  test("leaves out a field that is null, as a real API server does, and a diff shows none", async () => {
    const text = object("Service", "nulls", "spec:\n  clusterIP: null\n  ports:\n    - port: 80\n      name: null\n");
    expect(await apply(text)).toMatchObject({ code: 0 });
    const { spec } = JSON.parse((await run("get service nulls --output json")).out);
    expect([spec.clusterIP, spec.ports[0].name]).toEqual([undefined, undefined]);
    expect(await run("diff --server-side --filename -", text)).toMatchObject({ code: 0, out: "" });
  });
  test("makes objects, as one change, and counts generations only when something changed", async () => {
    const text = object("Namespace", "one") + object("Secret", "s", "  namespace: one\nstringData:\n  a: b\n");
    const before = home.world.changes.length;
    expect(await apply(text)).toEqual({ code: 0, out: "namespace/one serverside-applied\nsecret/s serverside-applied\n", err: "" });
    expect(home.world.changes.slice(before).filter((change) => change.startsWith("product"))).toHaveLength(1);
    const get = async () => JSON.parse((await run("get secret s --namespace one -o json")).out);
    const first = await get();
    expect(first).toMatchObject({ data: { a: "Yg==" }, type: "Opaque" });
    await apply(text);
    expect(await get()).toEqual(first);
  });
  test("a namespace that is not there", async () =>
    expect(await apply(object("Secret", "s", "  namespace: nowhere\n"))).toEqual({
      code: 1,
      out: "",
      err: 'Error from server (NotFound): namespaces "nowhere" not found\n',
    }));
  test("a kind that nobody serves, and the others all the same", async () => {
    expect(
      await apply(object("HelmRelease", "x", "  namespace: default\n", "helm.toolkit.fluxcd.io/v2") + object("Namespace", "two")),
    ).toEqual({
      code: 1,
      out: "namespace/two serverside-applied\n",
      err: 'error: resource mapping not found for name: "x" namespace: "default" from "STDIN": no matches for kind "HelmRelease" in version "helm.toolkit.fluxcd.io/v2"\nensure CRDs are installed first\n',
    });
  });
  test("definitions of charts, which can be waited for", async () => {
    const { out } = await home.run(helmfile, "--file bootstrap/helmfile.d/00-crds.yaml --quiet template --include-crds --no-hooks");
    expect(
      await apply(
        out
          .split("---\n")
          .filter((text) => text.includes("kind: CustomResourceDefinition"))
          .join("---\n"),
      ),
    ).toMatchObject({ code: 0 });
    expect(
      await run(
        "wait --for condition=Established --timeout 2m customresourcedefinition/servicemonitors.monitoring.coreos.com crd/gateways.gateway.networking.k8s.io",
      ),
    ).toEqual({
      code: 0,
      out: "customresourcedefinition.apiextensions.k8s.io/servicemonitors.monitoring.coreos.com condition met\ncustomresourcedefinition.apiextensions.k8s.io/gateways.gateway.networking.k8s.io condition met\n",
      err: "",
    });
  });
  test("a folder", async () =>
    expect(await run("apply --server-side --kustomize kubernetes/apps/kube-system/cilium/config")).toMatchObject({
      code: 1,
      err: expect.stringContaining('no matches for kind "CiliumLoadBalancerIPPool"'),
    }));
});

test("wait gives up", async () => {
  expect(await run("wait --for=condition=Ready --timeout=50ms node/k8s-0")).toEqual({
    code: 1,
    out: "",
    err: "error: timed out waiting for the condition on nodes/k8s-0\n",
  });
  expect(await run("wait --for=condition=Ready --timeout=50ms node/nope")).toMatchObject({
    code: 1,
    err: 'Error from server (NotFound): nodes "nope" not found\n',
  });
});

test("annotate, label and patch", async () => {
  expect((await run("annotate node k8s-0 a/b=c")).out).toBe("node/k8s-0 annotated\n");
  expect((await run("label node/k8s-0 rack=1 --overwrite")).out).toBe("node/k8s-0 labeled\n");
  expect(await run("label node/k8s-0 rack=2")).toMatchObject({
    code: 1,
    err: "error: 'rack' already has a value (1), and --overwrite is false\n",
  });
  expect((await run('patch node k8s-0 --type merge -p {"metadata":{"labels":{"rack":null}}}')).out).toBe("node/k8s-0 patched\n");
  expect((await run("get node k8s-0 -o jsonpath={.metadata.labels.rack}{.metadata.annotations.a/b}")).out).toBe("c");
});

test("delete", async () => {
  await apply(object("Namespace", "gone") + object("Secret", "s", "  namespace: gone\n"));
  expect((await run("delete secret s --namespace gone")).out).toBe('secret "s" deleted from gone namespace\n');
  expect((await run("delete namespace gone --ignore-not-found")).out).toBe('namespace "gone" deleted\n');
  expect(await run("delete namespace gone")).toMatchObject({ code: 1, err: 'Error from server (NotFound): namespaces "gone" not found\n' });
});

test("what it was not taught", async () => {
  expect((await run("drain k8s-0")).code).toBe(70);
  expect((await run("get nodes -o yaml")).code).toBe(70);
  expect((await run("apply --filename -", object("Namespace", "x"))).code).toBe(70);
});

test("reading changes nothing", async () => {
  const before = JSON.stringify(home.world.state);
  for (const line of ["get nodes -o json", "get --raw /readyz", "version --client -o json", "get ns -o name"])
    expect((await run(line)).code).toBe(0);
  expect(JSON.stringify(home.world.state)).toBe(before);
});

test("an API server that leaves in the middle of an apply has taken half, and takes the rest when it is back", async () => {
  const world = await clusterWorld({ "api-server-leaves-during-apply": 1 });
  try {
    world.settle();
    const objects = ["a", "b", "c", "d"].map((name) => object("ConfigMap", name)).join("");
    const line = "apply --server-side --filename -";
    const refused = "The connection to the server 192.168.120.100:6443 was refused - did you specify the right host or port?\n";
    expect(await world.run(kubectl, line, objects)).toEqual({
      code: 1,
      out: "configmap/a serverside-applied\nconfigmap/b serverside-applied\n",
      err: refused + refused,
    });
    expect(await world.run(kubectl, "get --raw /readyz")).toMatchObject({ code: 1, err: refused });
    world.pass(2_000);
    expect(await world.run(kubectl, line, objects)).toMatchObject({ code: 0, err: "" });
  } finally {
    world.end();
  }
});
