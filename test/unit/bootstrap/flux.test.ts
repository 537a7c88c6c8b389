// How long the bootstrap waits for Flux, and what it says of what only a person can bring.
import { describe, expect, test } from "vitest";
import { flux } from "../../../scripts/bootstrap/flux.ts";
import { carryOut } from "../../../scripts/lib/bootstrap/stage.ts";
import { lackingItems } from "../../../scripts/lib/flux/external-secrets.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { record } from "../recorder.ts";

const HEAD = "b".repeat(40);
const GIT = {
  "git rev-parse": "abc123\n",
  "git rev-parse --abbrev-ref": "origin/main\n",
  "git ls-remote": `${HEAD}\trefs/heads/main\n`,
  "git status": "",
  "git diff": "",
};
const ready = (status: string, message = "") => ({ conditions: [{ type: "Ready", status, message }] });
const store = (status: string): KubernetesObject => ({
  apiVersion: "external-secrets.io/v1",
  kind: "ClusterSecretStore",
  metadata: { name: "onepassword" },
  status: ready(status),
});
const secret = (status: string): KubernetesObject => ({
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
  metadata: { namespace: "media", name: "prowlarr" },
  spec: { secretStoreRef: { name: "onepassword" }, dataFrom: [{ extract: { key: "prowlarr" } }], data: [{ remoteRef: { key: "shared" } }] },
  status: ready(status, "could not get secret data from provider"),
});
const LINE = "ExternalSecret media/prowlarr (item prowlarr, shared): could not get secret data from provider";

describe("what waits for a person", () => {
  test("is an ExternalSecret that its store cannot fill, with its items", () =>
    expect(lackingItems([store("True"), secret("False")])).toEqual([LINE]));
  test("is nothing while the store itself is not ready, or where the secret is there", () =>
    expect([lackingItems([store("False"), secret("False")]), lackingItems([store("True"), secret("True")])]).toEqual([[], []]));
});

describe("bootstrap:flux", () => {
  const FLUX = "kubectl get $'fluxinstances";
  const app = {
    apiVersion: "",
    kind: "Kustomization",
    metadata: { namespace: "media", name: "prowlarr" },
    status: ready("False", "no Secret"),
  };
  const source = {
    kind: "GitRepository",
    metadata: { namespace: "flux-system", name: "flux-system" },
    spec: { url: "https://github.com/example/home-ops" },
    status: { ...ready("True"), artifact: { revision: `refs/heads/main@sha1:${HEAD}` } },
  };
  const act = async (objects: KubernetesObject[]) => {
    const lab = await record({
      answers: {
        ...GIT,
        [FLUX]: JSON.stringify({ items: [source, app, { ...app, status: ready("True") }] }),
        "kubectl get $'clustersecretstores": JSON.stringify({ items: objects }),
      },
    });
    return flux.act(lab.context, { state: "to do", saw: "" }, []).catch((error: Error) => error.message);
  };
  test("that waits for a vault's item says which, and what depends on it", async () =>
    expect(await act([store("True"), secret("False")])).toBe(
      [
        "could not see everything ready: nothing became ready for 20 minutes, or it took more than 90",
        "  said: only a person can put these into the vault:",
        `        ${LINE}`,
        "        with what depends on them:",
        "        2/3 ready",
        "        Kustomization media/prowlarr: False: no Secret",
        "  now:  Flux goes on trying",
        "  next: task secrets:check names the fields; put them into the vault, then: task bootstrap:flux",
      ].join("\n"),
    ));
  test("that waits for anything else says where to look", async () =>
    expect(await act([store("True")])).toMatch(
      /said: 2\/3 ready\n[^]*next: flux get all --all-namespaces --status-selector ready=false; then: task bootstrap:flux$/,
    ));
  test.each([
    [
      "an unreachable remote",
      { "git ls-remote": { code: 128, err: "fatal: unable to access 'https://x/': Could not resolve host: x" } },
      "the remote cannot be reached: fatal: unable to access",
    ],
    ["an uncommitted file", { "git status": " M kubernetes/apps/a.yaml\n" }, "kubernetes/apps/a.yaml: not committed"],
    ["a commit that is not pushed", { "git diff": "kubernetes/apps/b.yaml\n" }, "kubernetes/apps/b.yaml: not pushed"],
    [
      "a branch that follows none",
      { "git rev-parse": { code: 128, err: "fatal: no upstream configured for branch 'x'" } },
      "no upstream configured",
    ],
    ["a branch that the remote does not have", { "git ls-remote": { code: 2, err: "" } }, "the remote has no branch main"],
  ])("stops at %s, and WAIVE=git goes on", async (_what, change, said) => {
    const answers = { ...GIT, ...change, [FLUX]: JSON.stringify({ items: [source] }), "kubectl get $'clustersecretstores": '{"items":[]}' };
    const lab = await record({ answers });
    expect(String(await flux.act(lab.context, { state: "partly", saw: "" }, []).catch((error: unknown) => error))).toContain(said);
    expect(lab.commands.filter((line) => line.startsWith("act") || line.includes("kubectl"))).toEqual([]);
    const waived = await record({ answers });
    waived.context.waive = ["git"];
    await flux.act(waived.context, { state: "partly", saw: "" }, []).catch(() => {});
    expect(waived.commands.filter((line) => line.includes("kubectl")).length).toBeGreaterThan(0);
  });
  test("with WAIVE=git and an unknown head requests a fetch, and is done when Flux has handled it", async () => {
    const both = (at: string) => ({
      items: ["GitRepository", "Kustomization"].map((kind) => ({
        ...source,
        kind,
        metadata: { ...source.metadata, annotations: { "reconcile.fluxcd.io/requestedAt": at } },
        status: { ...source.status, lastAppliedRevision: source.status.artifact.revision, lastHandledReconcileAt: at },
      })),
    });
    const answers = {
      ...GIT,
      "git rev-parse": { code: 128, err: "fatal: no upstream configured for branch 'x'" },
      "kubectl get --raw /readyz": "ok",
      [FLUX]: [JSON.stringify(both("earlier")), JSON.stringify(both("earlier")), JSON.stringify(both("a later request"))],
      "kubectl annotate": "",
    };
    const lab = await record({ answers });
    lab.context.waive = ["git"];
    const before = await flux.observe(lab.context);
    expect(before.state).toBe("unknown");
    const after = await carryOut(flux, lab.context, before, []);
    expect(after.state).toBe("done");
    expect(lab.commands.filter((line) => line.startsWith("act kubectl annotate"))).toHaveLength(2);
  });
  test("has Flux fetch at once what it has not fetched yet", async () => {
    const old = { ...source, status: { ...source.status, artifact: { revision: "refs/heads/main@sha1:old" } } };
    const revision = source.status.artifact.revision;
    const handledAt = (value: string) => ({
      items: ["GitRepository", "Kustomization"].map((kind) => ({
        ...source,
        kind,
        metadata: { ...source.metadata, annotations: { "reconcile.fluxcd.io/requestedAt": value } },
        status: { ...source.status, lastAppliedRevision: revision, lastHandledReconcileAt: value },
      })),
    });
    const lab = await record({
      answers: {
        ...GIT,
        [FLUX]: [JSON.stringify({ items: [old, app] }), JSON.stringify(handledAt("a later request"))],
        "kubectl annotate": "",
      },
    });
    await flux.act(lab.context, { state: "partly", saw: "" }, []);
    expect(lab.commands.filter((line) => line.startsWith("act kubectl annotate"))).toHaveLength(2);
  });
  test("that has another cluster's repository stops", async () => {
    const other = { ...source, spec: { url: "https://github.com/somebody/home-ops" } };
    const lab = await record({ answers: { ...GIT, "kubectl get --raw": "ok", [FLUX]: JSON.stringify({ items: [other, app] }) } });
    await expect(flux.observe(lab.context)).rejects.toThrow("Flux follows https://github.com/somebody/home-ops");
  });
});
