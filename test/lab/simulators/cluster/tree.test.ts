// What kustomize-controller and external-secrets of the simulated home make of a tree: settings, labels that keep a patch away, Secrets of the vault.
import { describe, expect, test } from "vitest";
import { externalSecretSteps } from "../../../simulators/world/cluster/external-secrets.ts";
import { applyPatch } from "../../../simulators/world/kustomize/kustomize.ts";
import { freshCluster } from "../../../simulators/world/cluster/store.ts";
import { substituted } from "../../../simulators/world/kustomize/substitute.ts";
import { Untaught } from "../../../simulators/world/tool.ts";
import type { ClusterState, Entry, KubeObject } from "../../../simulators/world/cluster/state.ts";

const configMap = (data: Record<string, string>, annotations = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", annotations },
  data,
});
const substitute = { DOMAIN: "example.com", PORT: "8080", EMPTY: "" };
const data = (text: string) => (substituted(configMap({ text }), { substitute }) as any).data.text as unknown;

describe("substitution", () => {
  test.each([
    ["https://x.${DOMAIN}", "https://x.example.com"],
    ["${NONE:=that}", "that"],
    ["${EMPTY:=that}", "that"],
    ["${EMPTY}", null],
    ["$${DOMAIN}", "${DOMAIN}"],
    ["$DOMAIN and {{ .x }}", "$DOMAIN and {{ .x }}"],
    ["${PORT}", 8080], // Flux replaces text, not values
  ])("%s becomes %s", (text, wanted) => expect(data(text)).toBe(wanted));

  test("a name that nobody gives is an error, in the controller's words", () =>
    expect(() => data("${NONE}")).toThrow('envsubst error: variable substitution failed: variable not set (strict mode): "NONE"'));
  test("what is marked stays as it is", () => {
    const marked = configMap({ text: "${NONE}" }, { "kustomize.toolkit.fluxcd.io/substitute": "disabled" });
    expect(substituted(marked, { substitute })).toBe(marked);
  });
  test("substituteFrom was not taught", () => expect(() => substituted(configMap({}), { substituteFrom: [] } as any)).toThrow(Untaught));
});

test("a label keeps a patch away from what bears it", () => {
  const patch = {
    patch: "kind: ConfigMap\nmetadata: {name: _}\ndata: {patched: yes}",
    target: { kind: "ConfigMap", labelSelector: "!own-defaults" },
  };
  const own = { ...configMap({}), metadata: { name: "own", labels: { "own-defaults": "true" } } };
  expect(applyPatch([configMap({}), own], patch).map((object) => object.data)).toEqual([{ patched: "yes" }, {}]);
  expect(() => applyPatch([own], { ...patch, target: { labelSelector: "a in (b)" } })).toThrow(Untaught);
});

describe("an ExternalSecret", () => {
  const entry = (object: KubeObject, status: object = {}): Entry => ({ object: { ...object, status }, at: 0 });
  const ready = { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] };
  const running = (name: string): KubeObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "external-secrets", generation: 1 },
    spec: { replicas: 1 },
  });
  const store: KubeObject = {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: "onepassword", generation: 1 },
    spec: { provider: { onepassword: { vaults: { Home: 1 } } } },
  };
  const secret = (spec: object): KubeObject => ({
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name: "app", namespace: "default", uid: "1", generation: 1 },
    spec: { target: { name: "app-secret", template: { data: { KEY: "{{ .API_KEY }}" } } }, ...spec },
  });

  /** What its condition says after one look; the vault has the item `app` with the field API_KEY. */
  function told(spec: object, objects: Record<string, Entry> = {}): string {
    const available = { observedGeneration: 1, readyReplicas: 1 };
    const state: ClusterState = {
      ...freshCluster(),
      objects: {
        "deployments.apps/external-secrets/external-secrets": entry(running("external-secrets"), available),
        "deployments.apps/external-secrets/onepassword-connect": entry(running("onepassword-connect"), available),
        "clustersecretstores.external-secrets.io//onepassword": entry(store, ready),
        "externalsecrets.external-secrets.io/default/app": entry(secret(spec)),
        ...objects,
      },
    };
    const vaultHas = (vault: string, item: string, field = "API_KEY") => vault === "Home" && item === "app" && field === "API_KEY";
    for (const step of externalSecretSteps(state, { vaultHas })) step.apply(state, 0);
    return state.objects["externalsecrets.external-secrets.io/default/app"]!.object.status.conditions[0].message;
  }

  test("is synced where the vault has its item and every field", () =>
    expect(told({ dataFrom: [{ extract: { key: "app" } }] })).toBe("secret synced"));
  test("names the item that is not there", () =>
    expect(told({ dataFrom: [{ extract: { key: "other" } }] })).toBe(
      "error processing spec.dataFrom[0].extract, err: key not found in 1Password Vaults: other in: map[Home:1]",
    ));
  test("names the field that is not there", () =>
    expect(told({ dataFrom: [{ extract: { key: "app" } }], target: { template: { data: { KEY: "{{ .PASSWORD }}" } } } })).toMatch(
      /map has no entry for key "PASSWORD"$/,
    ));
  test("is denied in a namespace that the store does not serve", () => {
    const limited = (...namespaces: string[]) => {
      const object = { ...store, spec: { ...store.spec, conditions: [{ namespaces }] } };
      return told(
        { dataFrom: [{ extract: { key: "app" } }] },
        { "clustersecretstores.external-secrets.io//onepassword": entry(object, ready) },
      );
    };
    expect(limited("default", "media")).toBe("secret synced");
    expect(limited("media")).toBe(
      'could not get secret data from provider: using cluster store "onepassword" is not allowed from namespace "default": denied by spec.condition',
    );
  });
  test("asks for nothing where it is made once and the Secret is there", () => {
    const made = entry({ apiVersion: "v1", kind: "Secret", metadata: { name: "app-secret", namespace: "default" } });
    const spec = { refreshPolicy: "CreatedOnce", dataFrom: [{ extract: { key: "other" } }] };
    expect(told(spec, { "secrets/default/app-secret": made })).toBe("secret synced");
  });
});
