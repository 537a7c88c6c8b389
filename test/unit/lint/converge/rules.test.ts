// What works at a price and what cannot be known: second attempts, webhooks, releases that give up, orders without use, charts nobody described.
import { describe, expect, it } from "vitest";
import { explain, meant } from "../../../../scripts/lib/lint/converge/explain.ts";
import { inLines } from "../../../../scripts/lib/lint/converge/waves.ts";

import type { KubeObject } from "../../../../scripts/lib/tree/types.ts";
import { application, externalSecret, home } from "./home.ts";
import { kustomization, namespaces, object, outcome, release, RETRY, tree } from "./tree.ts";

const START = { objects: namespaces("apps", "network", "cert-manager") };
const issuer = object("cert-manager.io/v1 ClusterIssuer production", { spec: { acme: {} } });

describe("what is tried too early", () => {
  const operator = kustomization("cert-manager/cert-manager", {}, ...release("cert-manager/cert-manager", "cert-manager"));
  const config = (spec: object = {}) => kustomization("cert-manager/config", { ...spec }, issuer);

  it("is a note with the cost, and nothing once there is a dependency on what waits", () => {
    const { lines, findings } = outcome(tree(START, operator, config()));
    expect(lines).toEqual([
      "note ready-after-retry cert-manager/config/clusterissuer.yaml: Kustomization cert-manager/config may be tried before the kind ClusterIssuer (cert-manager.io) is available (HelmRelease cert-manager/cert-manager provides it)",
    ]);
    expect(findings[0]!.why).toBe("the attempt fails and is repeated after 2m, until it is there");
    const waiting = kustomization("cert-manager/cert-manager", { wait: true }, ...release("cert-manager/cert-manager", "cert-manager"));
    expect(outcome(tree(START, waiting, config({ dependsOn: [{ name: "cert-manager" }] }))).lines).toEqual([]);
  });

  it("a dependency on what does not wait is sure of nothing", () => {
    expect(outcome(tree(START, operator, config({ dependsOn: [{ name: "cert-manager" }] }))).findings).toMatchObject([
      {
        rule: "ready-after-retry",
        fix: "let Kustomization cert-manager/cert-manager wait until HelmRelease cert-manager/cert-manager is ready (wait or healthChecks): without that it is ready as soon as it has applied it",
      },
    ]);
  });

  it("a webhook whose Pods may still be starting: at most one attempt", () => {
    const { lines, findings } = outcome(tree({ ...START, crds: { "cert-manager/cert-manager": "cert-manager" } }, operator, config()));
    expect(lines).toEqual([
      "note webhook-order cert-manager/config/clusterissuer.yaml: Kustomization cert-manager/config may be tried before the admission webhook of cert-manager.io is available (HelmRelease cert-manager/cert-manager provides it)",
    ]);
    expect(findings[0]!.why).toBe(
      "while the webhook's Pods start, the API server refuses what it cannot show them: at most one failed attempt, repeated after 2m",
    );
  });
});

describe("a release that waits for what another brings", () => {
  const needs = (spec: object) =>
    outcome(
      home(
        kustomization(
          "apps/echo",
          {},
          object("v1 PersistentVolumeClaim apps/echo", { spec: { storageClassName: "ceph-block" } }),
          ...release("apps/echo", "app-template", { values: { persistence: { config: { existingClaim: "echo" } } }, ...spec }),
        ),
      ),
    ).lines;

  const SLOW =
    "note slow-start apps/echo/helmrelease.yaml: HelmRelease apps/echo waits longer than the timeout of 5m for PersistentVolumeClaim apps/echo, which is there after about 11m23s";
  const STALL =
    "error release-can-stall apps/echo/helmrelease.yaml: HelmRelease apps/echo can give up before PersistentVolumeClaim apps/echo is there, which waits until HelmRelease rook-ceph/rook-ceph-cluster runs";

  it("waits for ever where install and upgrade both retry", () => {
    expect(needs({})).toEqual([SLOW]);
    expect(needs({ timeout: "15m" })).toEqual([]);
    expect(needs({ install: { remediation: { retries: -1 } }, upgrade: {} })).toEqual([SLOW]);
  });

  it("stalls where one of them does not", () => {
    expect(needs({ install: {}, upgrade: {} })).toEqual([STALL, SLOW]);
    expect(needs({ install: RETRY, upgrade: { strategy: { name: "RemediateOnFailure" } } })).toEqual([STALL, SLOW]);
  });
});

describe("orders", () => {
  const config = object("v1 ConfigMap apps/settings");
  const checks = (name: string) => [{ apiVersion: "v1", kind: "ConfigMap", namespace: "apps", name }];

  it("wait makes Flux pass over healthChecks: a note where they look at the same, an error where they look elsewhere", () => {
    const awaited = kustomization("apps/after", {
      postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "settings" }] },
      dependsOn: [{ name: "both" }],
    });
    const both = (name: string) => kustomization("apps/both", { wait: true, healthChecks: checks(name) }, config);
    const other = kustomization("apps/other", {}, object("v1 ConfigMap apps/elsewhere"));
    expect(outcome(tree(START, both("settings"), awaited)).lines).toEqual([
      "note wait-hides-health-checks apps/both/ks.yaml: Kustomization apps/both has both wait and healthChecks",
    ]);
    expect(outcome(tree(START, both("elsewhere"), awaited, other)).lines).toEqual([
      "error wait-hides-health-checks apps/both/ks.yaml: Kustomization apps/both has both wait and healthChecks",
    ]);
  });

  it("an expression in the place of readiness is not known, and holds nothing up", () => {
    const before = kustomization("apps/before", { healthChecks: checks("gone") });
    const after = kustomization("apps/after", { dependsOn: [{ name: "before", readyExpr: "dep.status.observedGeneration > 0" }] });
    expect(outcome(tree(START, before, after)).lines).toEqual([
      "error config-map-missing apps/before/ks.yaml: nothing provides ConfigMap apps/gone: Kustomization apps/before has it among its healthChecks",
      "unknown ready-expression apps/after/ks.yaml: whether its readyExpr for before becomes true is not known: dep.status.observedGeneration > 0",
    ]);
  });

  it("a health check of what nobody applies is never passed", () => {
    expect(outcome(tree(START, kustomization("apps/echo", { healthChecks: checks("gone") }))).lines).toEqual([
      "error config-map-missing apps/echo/ks.yaml: nothing provides ConfigMap apps/gone: Kustomization apps/echo has it among its healthChecks",
    ]);
  });

  it("a health check without its namespace names where the object is", () => {
    const check = [{ apiVersion: "v1", kind: "ConfigMap", name: "settings" }];
    expect(outcome(tree(START, kustomization("apps/echo", { healthChecks: check }, config))).findings).toMatchObject([
      { rule: "config-map-missing", fix: "write namespace: apps" },
    ]);
  });

  it("what is suspended holds up whatever depends on it", () => {
    const suspended = kustomization("apps/before", { suspend: true });
    expect(outcome(tree(START, suspended, kustomization("apps/after", { dependsOn: [{ name: "before" }] }))).lines).toEqual([
      "error suspended apps/before/ks.yaml: Kustomization apps/before is suspended, and Kustomization apps/after waits for it",
      "note needless-depends-on apps/after/ks.yaml: Kustomization apps/after dependsOn Kustomization apps/before and applies nothing that would fail without it",
    ]);
  });

  it("a Kustomization that applies itself and waits does not wait for itself", () => {
    const of = tree(START, kustomization("apps/echo", {}, config));
    const [root] = of.kustomizations;
    root!.built.push({ object: object("kustomize.toolkit.fluxcd.io/v1 Kustomization flux-system/cluster-apps"), source: root!.source });
    root!.spec.wait = true;
    expect(outcome(of).findings.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("wait takes a custom resource without a status for current; an expression about its status does not", () => {
    const start = { objects: namespaces("apps", "rook-ceph"), crds: { "rook-ceph/rook-ceph": "rook-ceph" } };
    const operator = kustomization("rook-ceph/rook-ceph", {}, ...release("rook-ceph/rook-ceph", "rook-ceph", { suspend: true }));
    const ceph = { apiVersion: "ceph.rook.io/v1", kind: "CephCluster" };
    const neverReady = (spec: Record<string, unknown>) => {
      const { stuck } = outcome(tree(start, operator, kustomization("apps/ceph", spec, object("ceph.rook.io/v1 CephCluster apps/ceph"))));
      return [...stuck].map(({ name }) => name).filter((name) => name.startsWith("Kustomization"));
    };
    const healthChecks = [{ ...ceph, name: "ceph", namespace: "apps" }];
    expect(neverReady({ wait: true })).toEqual([]);
    expect(neverReady({ healthChecks })).toEqual([]);
    expect(neverReady({ healthChecks, healthCheckExprs: [{ ...ceph, current: "status.phase == 'Ready'" }] })).toEqual([
      "Kustomization apps/ceph: ready",
    ]);
  });

  it("a parent that waits cannot wait for a child that depends on it", () => {
    const of = tree(START, kustomization("apps/echo", { dependsOn: [{ name: "cluster-apps", namespace: "flux-system" }] }, config));
    of.kustomizations[0]!.spec.wait = true;
    expect(outcome(of).lines).toEqual([
      "error dependency-circle apps/echo/ks.yaml: Kustomization apps/echo dependsOn Kustomization flux-system/cluster-apps, which cannot be before it",
    ]);
  });
});

describe("a bootstrap that cannot be read", () => {
  const thing = kustomization(
    "default/thing",
    {},
    object("cert-manager.io/v1 ClusterIssuer production", { spec: { ca: { secretName: "ca" } } }),
  );

  it("may have made anything: what is missing is unknown, and so is a circle that it could open", () => {
    const beside = kustomization("default/beside", {}, ...release("default/cert-manager", "cert-manager"), issuer);
    expect(outcome(tree({}, thing)).findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual([
      "unknown may-be-missing",
      "unknown may-be-missing",
      "unknown unknown-source",
    ]);
    expect(outcome(tree({}, beside)).findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual([
      "unknown custom-resource-beside-its-release",
      "unknown unknown-source",
    ]);
  });

  it("is what the fix speaks of, not of a chart that could be described", () => {
    const [first] = outcome(tree({}, thing)).findings;
    expect(first!.fix).toMatch(
      /^look into the bootstrap, or let BOOTSTRAP= name its folder with a helmfile that can be read; if it does not/,
    );
  });

  it("opens no circle of dependencies", () => {
    const after = (name: string, other: string) => kustomization(`default/${name}`, { dependsOn: [{ name: other }] });
    expect(outcome(tree({}, after("one", "two"), after("two", "one"))).findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual([
      "error dependency-circle",
      "unknown unknown-source",
      "note needless-depends-on",
    ]);
  });
});

it("a name that hangs on a variable nobody can read is nobody's lack: the variable is told once", () => {
  const of = tree(
    START,
    kustomization("apps/echo", {}, object("v1 PersistentVolumeClaim apps/echo", { spec: { storageClassName: "volsync-class" } })),
  );
  for (const located of of.kustomizations[1]!.built) located.guessed = ["VOLSYNC_CLASS"];
  expect(outcome(of).lines).toEqual([
    "unknown unknown-variable apps/echo/persistentvolumeclaim.yaml: the value of VOLSYNC_CLASS is not known: it comes from what Kustomization apps/echo substitutes from",
  ]);
});

it("app-template's own ConfigMaps and Secrets are there with the release", () => {
  const values = {
    configMaps: { config: { forceRename: "{{ .Release.Name }}-made" }, other: {} },
    persistence: {
      a: { type: "configMap", name: "echo-made" },
      b: { type: "configMap", name: "echo-other" },
      c: { type: "configMap", name: "gone" },
    },
  };
  expect(outcome(tree(START, kustomization("apps/echo", {}, ...release("apps/echo", "app-template", { values })))).lines).toEqual([
    "error config-map-missing apps/echo/helmrelease.yaml: nothing provides ConfigMap apps/gone: HelmRelease apps/echo has Pods that mount it (persistence.c)",
  ]);
});

describe("a chart that nobody described", () => {
  const strange = (namespace: string) => kustomization(`${namespace}/strange`, {}, ...release(`${namespace}/strange`, "strange"));

  it("is unknown, not wrong; and what it may bring is unknown too", () => {
    expect(outcome(tree(START, strange("apps"), kustomization("apps/crd", {}, object("strange.io/v1 Thing apps/thing")))).lines).toEqual([
      "unknown may-be-missing apps/crd/thing.yaml: nothing provides the kind Thing (strange.io): Kustomization apps/crd applies Thing apps/thing, which needs it",
      "unknown unknown-chart apps/strange/helmrelease.yaml: what oci://registry.example/charts/strange provides is unknown",
    ]);
  });

  it("makes no Secret in another namespace", () => {
    const app = kustomization("network/echo", { postBuild: { substituteFrom: [{ kind: "Secret", name: "made" }] } });
    expect(outcome(tree(START, strange("apps"), app)).findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual([
      "error secret-missing",
      "unknown unknown-chart",
    ]);
    expect(outcome(tree(START, strange("network"), app)).findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual([
      "unknown may-be-missing",
      "unknown unknown-chart",
    ]);
  });
});

it("custom resources wait for the Secrets that they name in their own ways", () => {
  const start = { objects: namespaces("apps"), crds: { "apps/monitoring": "monitoring-crds" } };
  const receivers = object("monitoring.coreos.com/v1alpha1 AlertmanagerConfig apps/alerts", {
    spec: { receivers: [{ pushoverConfigs: [{ token: { name: "pushover", key: "TOKEN" }, userKey: { name: "gone", key: "USER" } }] }] },
  });
  const secret = object("v1 Secret apps/pushover");
  expect(outcome(tree(start, kustomization("apps/alerts", {}, receivers, secret))).lines).toEqual([
    "error secret-missing apps/alerts/alertmanagerconfig.yaml: nothing provides Secret apps/gone: AlertmanagerConfig apps/alerts reads it",
  ]);
});

describe("what is printed", () => {
  const result = outcome(home(application("actual")));

  it("waves, and the longest chain with what each link waited for", () => {
    expect(inLines(result.waves, result.criticalPath)).toEqual([
      "wave 0: flux-system/cluster-apps",
      "wave 1: apps/actual, cert-manager/issuers, external-secrets/connect, external-secrets/stores, network/envoy-gateway, network/gateways, openebs/openebs, rook-ceph/rook-ceph, volsync/volsync",
      "wave 2: rook-ceph/cluster",
      "critical path (times are estimates):",
      "       5s  Kustomization flux-system/cluster-apps",
      "      10s  Kustomization rook-ceph/rook-ceph can begin only once it is applied",
      "    1m22s  HelmRelease rook-ceph/rook-ceph can begin only once it is applied",
      "    1m23s  Kustomization rook-ceph/rook-ceph waits for all it applies: HelmRelease rook-ceph/rook-ceph",
      "    1m28s  Kustomization rook-ceph/cluster dependsOn Kustomization rook-ceph/rook-ceph",
      "   11m39s  HelmRelease rook-ceph/rook-ceph-cluster can begin only once it is applied",
      "   16m39s  ReplicationDestination apps/actual-dst has volumes of StorageClass ceph-block",
      "   16m44s  PersistentVolumeClaim apps/actual is filled by ReplicationDestination apps/actual-dst",
      "   17m45s  HelmRelease apps/actual has Pods that mount PersistentVolumeClaim apps/actual",
    ]);
  });

  it("what an object waits for, and why", () => {
    expect(explain(result, "PersistentVolumeClaim apps/actual")).toEqual([
      "PersistentVolumeClaim apps/actual (apps/actual/persistentvolumeclaim.yaml:1)",
      "  is ready in wave 2, after about 16m44s",
      "  waits for:",
      "    can begin only once it is applied: from Kustomization apps/actual, wave 1, after about 10s",
      "  the cluster waits for:",
      "    is of StorageClass ceph-block: from HelmRelease rook-ceph/rook-ceph-cluster, wave 2, after about 11m39s",
      "    is filled by ReplicationDestination apps/actual-dst: from ReplicationDestination apps/actual-dst, wave 2, after about 16m39s",
      "  the longest way to it:",
      "         5s  Kustomization flux-system/cluster-apps",
      "        10s  Kustomization rook-ceph/rook-ceph can begin only once it is applied",
      "      1m22s  HelmRelease rook-ceph/rook-ceph can begin only once it is applied",
      "      1m23s  Kustomization rook-ceph/rook-ceph waits for all it applies: HelmRelease rook-ceph/rook-ceph",
      "      1m28s  Kustomization rook-ceph/cluster dependsOn Kustomization rook-ceph/rook-ceph",
      "     11m39s  HelmRelease rook-ceph/rook-ceph-cluster can begin only once it is applied",
      "     16m39s  ReplicationDestination apps/actual-dst has volumes of StorageClass ceph-block",
      "     16m44s  PersistentVolumeClaim apps/actual is filled by ReplicationDestination apps/actual-dst",
    ]);
    expect(explain(result, "actual-secret")).toEqual(explain(result, "ExternalSecret/apps/actual-secret"));
    expect(explain(result, "nobody")).toBeUndefined();
    expect(meant("actuall-secret", result)).toBe("actual-secret");
  });
  it("who brings what is no step of its own, and who waits for it", () => {
    expect(explain(result, "StorageClass/ceph-block")).toEqual(explain(result, "ceph-block"));
    expect(explain(result, "ceph-block")).toEqual(
      expect.arrayContaining([
        "StorageClass ceph-block",
        "  is made ready by HelmRelease rook-ceph/rook-ceph-cluster, wave 2, after about 11m39s",
      ]),
    );
    expect(explain(result, "CustomResourceDefinition/externalsecrets.external-secrets.io")).toEqual([
      "the kind ExternalSecret (external-secrets.io)",
      "  comes from the bootstrap, or is there from the start",
      expect.stringMatching(/^ {4}waited for by Kustomization /),
    ]);
  });
  it("a way that is the beginning of another one stands once", () => {
    const ways = explain(result, "apps/actual")!
      .join("\n")
      .split("  the longest way to it:\n")
      .slice(1)
      .map((text) => text.split("\n").filter((line) => /^ {4,}[\dms]+ {2}/.test(line)));
    expect(ways.length).toBeGreaterThan(0);
    for (const way of ways)
      expect(ways.filter((other) => way.every((line, index) => other[index] === line)).map(({ length }) => length)).toEqual([way.length]);
  });

  it("of what is never ready, where the reason stands", () => {
    const broken = outcome(tree(START, kustomization("apps/echo", {}, externalSecret("apps/echo", "echo"))));
    expect(explain(broken, "Kustomization apps/echo")).toEqual([
      "Kustomization apps/echo (apps/echo/ks.yaml:1)",
      "  is never ready: see the findings",
      "  waits for:",
      "    can begin only once it is applied: from Kustomization flux-system/cluster-apps, wave 0, after about 5s",
      "    reads its files from GitRepository flux-system/flux-system: from the bootstrap",
      "  is tried, fails and is repeated until these are there:",
      "    applies ExternalSecret apps/echo, which needs the kind ExternalSecret (external-secrets.io): from nowhere: see the findings",
      "    applies ExternalSecret apps/echo, which needs Namespace apps: from the bootstrap",
    ]);
  });
});

describe("manifests of another shape than their schema's are nothing to wait for", () => {
  const ODD = [null, "x", 1, [null], ["x"], {}];
  const FIELDS: [field: string, what: (odd: unknown) => KubeObject | Record<string, unknown>][] = [
    ["dependsOn", (odd) => ({ dependsOn: odd })],
    ["healthChecks", (odd) => ({ healthChecks: odd, healthCheckExprs: odd })],
    ["substituteFrom", (odd) => ({ postBuild: { substituteFrom: odd } })],
    ["dataFrom", (odd) => object("external-secrets.io/v1 ExternalSecret apps/odd", { spec: { dataFrom: odd, data: odd } })],
    ["PushSecret", (odd) => object("external-secrets.io/v1alpha1 PushSecret apps/odd", { spec: { secretStoreRefs: odd, data: odd } })],
    ["parentRefs", (odd) => object("gateway.networking.k8s.io/v1 HTTPRoute apps/odd", { spec: { parentRefs: odd, hostnames: odd } })],
    ["volumes", (odd) => object("apps/v1 Deployment apps/odd", { spec: { template: { spec: { volumes: odd, containers: odd } } } })],
    ["spec", (odd) => object("cilium.io/v2 CiliumLoadBalancerIPPool odd", { spec: { blocks: odd } })],
    ["install", (odd) => release("apps/odd", "app-template", { install: odd, upgrade: odd, values: odd })[1]!],
  ];
  const start = {
    ...START,
    releases: { "external-secrets/external-secrets": "external-secrets", "kube-system/cilium": "cilium" },
    crds: { "network/envoy": "envoy-gateway" },
  };

  it.each(FIELDS)("%s", (field, what) => {
    for (const odd of ODD) {
      const made = what(odd);
      const of =
        "kind" in made
          ? kustomization("apps/odd", {}, made as KubeObject, release("apps/odd", "app-template")[0]!)
          : kustomization("apps/odd", made);
      const errors = outcome(tree(start, of)).findings.filter(({ level }) => level === "error");
      expect(
        errors.map(({ rule }) => rule),
        `${field}: ${JSON.stringify(odd)}`,
      ).toEqual([]);
    }
  });
});
