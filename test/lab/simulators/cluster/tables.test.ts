// What a person looks at and does by hand: kubectl's tables and cordon, flux get, suspend and resume.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flux } from "../../../simulators/cli/flux/flux.ts";
import { helmfile } from "../../../simulators/cli/helmfile/helmfile.ts";
import { kubectl } from "../../../simulators/cli/kubectl/kubectl.ts";
import { ageOf } from "../../../simulators/cli/kubectl/table.ts";
import { type ClusterWorld, clusterWorld } from "./cluster-world.ts";

let home: ClusterWorld;
const k = (line: string, stdin?: string) => home.run(kubectl, line, stdin);
const f = (line: string) => home.run(flux, line);
const NAMESPACES = ["cert-manager", "external-secrets", "flux-system"].map(
  (name) => `---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`,
);
const SECRET =
  "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: onepassword-secret\n  namespace: external-secrets\nstringData:\n  token: t\n";

beforeAll(async () => {
  home = await clusterWorld();
  home.settle();
  await k("apply --server-side --filename -", NAMESPACES.join("") + SECRET);
  const definitions = await home.run(helmfile, "--file bootstrap/helmfile.d/00-crds.yaml --quiet template --include-crds --no-hooks");
  await k("apply --server-side --filename -", definitions.out);
  home.settle();
  expect((await home.run(helmfile, "--file bootstrap/helmfile.d/01-apps.yaml sync")).code).toBe(0);
  home.settle();
});
afterAll(() => home.end());

describe("kubectl", () => {
  test("shows nodes as it does", async () => {
    const [head, first] = (await k("get nodes")).out.split("\n");
    expect(head).toBe("NAME    STATUS   ROLES           AGE   VERSION");
    expect(first).toMatch(/^k8s-0 {3}Ready {4}control-plane {3}\d+s {3,}v1\.36\.5$/);
    expect((await k("get nodes -o wide")).out).toMatch(/INTERNAL-IP .*\n.* 192\.168\.122\.16 .*Talos \(v1\.13\.9\)/);
  });
  test("shows Flux's objects with what they say", async () =>
    expect((await k("get kustomizations.kustomize.toolkit.fluxcd.io -A")).out).toMatch(
      /^NAMESPACE +NAME +AGE +READY +STATUS\n[\s\S]*kube-system +cilium +\d+s +True +Applied revision: refs/,
    ));
  test("was not taught the columns of every kind, nor of two at once", async () => {
    expect(await k("get cronjobs -A")).toEqual({ code: 0, out: "", err: "No resources found\n" });
    expect((await k("get daemonsets -A")).code).toBe(70);
    expect((await k("get nodes,namespaces")).code).toBe(70);
  });
  test("cordons a node once and lets it go again", async () => {
    expect(await k("cordon k8s-0")).toEqual({ code: 0, out: "node/k8s-0 cordoned\n", err: "" });
    expect((await k("get nodes")).out).toContain("Ready,SchedulingDisabled");
    const { length } = home.world.changes;
    expect((await k("cordon k8s-0")).out).toBe("node/k8s-0 already cordoned\n");
    expect(home.world.changes).toHaveLength(length);
    expect((await k("uncordon k8s-0")).out).toBe("node/k8s-0 uncordoned\n");
    expect((await k("get nodes")).out).not.toContain("SchedulingDisabled");
    expect(await k("cordon k8s-9")).toEqual({ code: 1, out: "", err: 'Error from server (NotFound): nodes "k8s-9" not found\n' });
  });
  test("says where the cluster is", async () =>
    expect((await k("cluster-info")).out).toMatch(/^Kubernetes control plane is running at https:\/\/192\.168\.120\.100:6443\n/));
  test.each([
    [99, "99s"],
    [200, "3m20s"],
    [1500, "25m"],
    [11_100, "3h5m"],
    [93_600, "26h"],
    [777_600, "9d"],
  ])("an age of %i s is %s", (seconds, age) => {
    const born = "2026-01-01T00:00:00Z";
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n", creationTimestamp: born } };
    expect(ageOf(node, Date.parse(born) + seconds * 1000)).toBe(age);
  });
});

describe("flux", () => {
  test("shows what there is, digests in eight digits", async () =>
    expect((await f("get kustomizations --all-namespaces")).out).toMatch(
      /^NAMESPACE *\tNAME *\tREVISION *\tSUSPENDED\tREADY\tMESSAGE *\n[\s\S]*kube-system *\tcilium *\trefs\/heads\/main@sha1:[0-9a-f]{8}\tFalse *\tTrue *\tApplied revision/,
    ));
  test("shows everything of a namespace, each kind for itself", async () =>
    expect((await f("get all -n kube-system")).out).toMatch(
      /ocirepository\/cilium[\s\S]*\n\n[\s\S]*helmrelease\/cilium[\s\S]*\n\n[\s\S]*kustomization\/cilium/,
    ));
  test("has nothing to show when all is ready", async () =>
    expect(await f("get all -A --status-selector ready=false")).toEqual({ code: 0, out: "", err: "" }));
  test("suspends and resumes", async () => {
    expect((await f("suspend kustomization spegel -n kube-system")).err).toBe(
      "► suspending kustomization spegel in kube-system namespace\n✔ kustomization suspended\n",
    );
    expect((await f("get ks -n kube-system")).out).toMatch(/spegel *\t\S+\tTrue/);
    expect((await f("reconcile ks spegel -n kube-system")).err).toBe("✗ resource is suspended\n");
    const resumed = await f("resume ks spegel -n kube-system");
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(
      /^► resuming kustomization spegel in kube-system namespace\n✔ kustomization resumed\n◎ waiting for Kustomization reconciliation\n✔ Kustomization spegel reconciliation completed\n✔ applied revision refs/,
    );
  });
  test.each(["suspend", "resume"])("%s of a name that does not exist is mentioned, and exits 0", async (command) =>
    expect(await f(`${command} helmrelease nope -n kube-system`)).toEqual({
      code: 0,
      out: "",
      err: "✗ HelmRelease nope not found in kube-system namespace\n",
    }),
  );
  test("reconcile of a name that does not exist is an error", async () =>
    expect((await f("reconcile helmrelease nope -n kube-system")).code).toBe(1));
  test("checks before an install", async () =>
    expect((await f("check --pre")).err).toBe("► checking prerequisites\n✔ Kubernetes 1.36.5 >=1.33.0-0\n✔ prerequisites checks passed\n"));
  test("says its version, also as JSON", async () =>
    expect(JSON.parse((await f("version --client -o json")).out)).toEqual({ flux: "v2.9.4" }));
});
