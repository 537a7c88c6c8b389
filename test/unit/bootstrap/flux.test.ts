// How long the bootstrap waits for Flux, and what it says of what only a person can bring.
import { describe, expect, test } from "vitest";
import { flux } from "../../../scripts/bootstrap/flux.ts";
import { lackingItems } from "../../../scripts/lib/external-secrets.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes.ts";
import { record } from "../recorder.ts";

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
  const act = async (objects: KubernetesObject[]) => {
    const lab = await record({
      answers: {
        [FLUX]: JSON.stringify({ items: [app, { ...app, status: ready("True") }] }),
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
        "        1/2 ready",
        "        Kustomization media/prowlarr: False: no Secret",
        "  now:  Flux goes on trying",
        "  next: task secrets:check names the fields; put them into the vault, then: task bootstrap:flux",
      ].join("\n"),
    ));
  test("that waits for anything else says where to look", async () =>
    expect(await act([store("True")])).toMatch(
      /said: 1\/2 ready\n[^]*next: flux get all --all-namespaces --status-selector ready=false; then: task bootstrap:flux$/,
    ));
});
