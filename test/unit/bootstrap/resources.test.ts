// Namespaces and Secrets before Flux: what is shown, what must be typed, and that nothing else is applied.
import { describe, expect, test } from "vitest";
import { resources } from "../../../scripts/bootstrap/resources.ts";
import { type Resource, seeResources } from "../../../scripts/lib/bootstrap/resources.ts";
import { mergeDestroys } from "../../../scripts/lib/run/plan.ts";
import { ourKubeconfig } from "../flux/our-kubeconfig.ts";
import { type Answer, record, type RecordSetup } from "../recorder.ts";

const namespace = (labels: Record<string, string>): Resource => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "flux-system", labels },
});
const secret = (values: Record<string, string>): Resource => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "sops", namespace: "flux-system" }, stringData: values }); // prettier-ignore
const stored = (values: Record<string, string>): Resource => {
  const { stringData, ...rest } = secret(values);
  return {
    ...rest,
    data: Object.fromEntries(Object.entries(stringData!).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
  };
};

describe("what is shown", () => {
  test("an object that does not exist is created", () =>
    expect(seeResources([namespace({ a: "1" })], [])).toMatchObject({
      state: "to do",
      todo: ["create Namespace flux-system"],
      steps: [{ action: "create", target: "Namespace flux-system" }],
    }));
  test("a label that exists is changed, with both values; a new one is added; neither is lost", () => {
    const seen = seeResources([namespace({ a: "1", b: "2" })], [namespace({ a: "0" })]);
    expect(seen.todo).toEqual(['change label a of Namespace flux-system from "0" to "1"', "add label b to Namespace flux-system"]);
    expect(seen.destroys).toBeUndefined();
  });
  test("a value of a Secret that differs is lost: its name is asked for, and no value is shown", () => {
    const seen = seeResources([secret({ key: "n3w-value", token: "t" })], [stored({ key: "0ld-value" })]);
    expect(seen.todo).toEqual(["change data key of Secret flux-system/sops", "add data token to Secret flux-system/sops"]);
    expect(seen.destroys).toEqual({ what: ["Secret flux-system/sops: the value of data key in the cluster"], name: "sops" });
    expect(seen.steps).toEqual([
      { action: "change data key of", target: "Secret flux-system/sops", destroys: true },
      { action: "add data token to", target: "Secret flux-system/sops" },
    ]);
    const { facts: _, ...shown } = seen;
    expect(JSON.stringify(shown)).not.toMatch(/value"|n3w|0ld|bjN3|MGxk/);
  });
  describe("a key that is no longer wanted", () => {
    const has = (...managedFields: object[]) => ({
      ...stored({ key: "x", gone: "0ld-value" }),
      metadata: { ...stored({}).metadata, managedFields },
    });
    const setBy = (manager: string, operation: string, ...keys: string[]) => ({
      manager,
      operation,
      fieldsV1: { "f:data": { ".": {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } },
    });
    const ours = setBy("home-ops-bootstrap", "Apply", "key", "gone");

    test("is lost with the apply, which would remove it: its Secret's name is asked for", () => {
      const seen = seeResources([secret({ key: "x" })], [has(ours)]);
      expect(seen.steps).toEqual([{ action: "remove data gone from", target: "Secret flux-system/sops", destroys: true }]);
      expect(seen.destroys).toEqual({ what: ["Secret flux-system/sops: the value of data gone in the cluster"], name: "sops" });
      expect(seen.todo).toEqual(["remove data gone from Secret flux-system/sops"]);
    });
    test("stays if another field manager set it too, or alone", () => {
      expect(seeResources([secret({ key: "x" })], [has(ours, setBy("kubectl-edit", "Update", "gone"))]).state).toBe("done");
      expect(seeResources([secret({ key: "x" })], [has(setBy("kubectl-edit", "Update", "gone"))]).state).toBe("done");
    });
  });
  test("what is as wanted is not applied", () =>
    expect(seeResources([namespace({ a: "1" }), secret({ key: "x" })], [namespace({ a: "1" }), stored({ key: "y" })]).facts).toEqual([
      secret({ key: "x" }),
    ]));
  test("several stages that destroy are one question", () =>
    expect(mergeDestroys([{ destroys: { what: ["a"], name: "k8s-0,k8s-1" } }, {}, { destroys: { what: ["b"], name: "coredns" } }])).toEqual(
      {
        what: ["a", "b"],
        name: "k8s-0,k8s-1,coredns",
      },
    ));
  test("stages that destroy nothing ask for no name", () => expect(mergeDestroys([{}, {}])).toBeUndefined());
});

describe("bootstrap:resources", () => {
  const APPLY = "cat | kubectl apply --server-side --force-conflicts --field-manager home-ops-bootstrap --filename -";
  const GET = "cat | kubectl get --ignore-not-found --show-managed-fields --output json --filename -";
  const list = (...items: object[]) => JSON.stringify({ kind: "List", items });
  const NAMES = { "cert-manager": "baseline", "external-secrets": "baseline", "flux-system": "baseline", "kube-system": "privileged" };
  const spaces = Object.entries(NAMES).map(([name, level]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" },
      labels: { "pod-security.kubernetes.io/enforce": level },
    },
  }));
  const kept = (name: string, namespaceOf: string, values: Record<string, string>) => ({
    ...stored(values),
    metadata: { name, namespace: namespaceOf },
  });
  const connect = (token: string) => kept("onepassword-secret", "external-secrets", { "1password-credentials.json": "QUJD", token });
  const age = kept("sops-age-secret", "flux-system", { "age.agekey": "QUJD" });
  const open = async (get: Answer[], setup: RecordSetup = {}) =>
    record({
      ...(await ourKubeconfig()),
      answers: { "kubectl get --raw /readyz": "ok", [GET]: get, [APPLY]: "applied" },
      ...setup,
    });

  test("applies only the objects that it showed", async () => {
    const before = list(...spaces, connect("QUJD"));
    const run = await open([before, before, list(...spaces, connect("QUJD"), age)]);
    expect(await run.run(resources, {})).toBeUndefined();
    expect(run.plans[0]!.lines).toEqual(["create Secret flux-system/sops-age-secret"]);
    expect(run.stdin[APPLY]!.match(/^kind: .*/gm)).toEqual(["kind: Secret"]);
    expect(run.stdin[APPLY]).not.toContain("onepassword-secret");
  });
  test("asks for the name of the Secret that it overwrites", async () => {
    const before = list(...spaces, connect("another"), age);
    const run = await open([before, before, list(...spaces, connect("QUJD"), age)]);
    expect(await run.run(resources, {})).toBeUndefined();
    expect(run.plans[0]!.destroys).toEqual({
      what: ["Secret external-secrets/onepassword-secret: the value of data token in the cluster"],
      name: "onepassword-secret",
    });
  });
  test("does not overwrite a Secret that appears after the plan was shown", async () => {
    const run = await open([list(...spaces, connect("QUJD")), list(...spaces, connect("QUJD"), kept("sops-age-secret", "flux-system", { "age.agekey": "by hand" }))]); // prettier-ignore
    const ended = String(await run.run(resources, {}));
    expect(ended).toContain("change data age.agekey of Secret flux-system/sops-age-secret");
    expect(run.commands.filter((line) => line.startsWith("act"))).toEqual([]);
  });
});
