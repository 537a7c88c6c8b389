// Who hears of trouble, which versions upgrades go to, and what a runner of other people's code may do.
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { type Any, documentsOf, FILES, ofKind, read, SETTINGS, substituted, TREE } from "./tree.ts";

describe("Alertmanager", () => {
  const folder = "kubernetes/apps/observability/kube-prometheus-stack/app";
  const { receivers, route } = documentsOf(`${folder}/alertmanagerconfig.yaml`)[0]!.object.spec;
  const [secret] = documentsOf(`${folder}/externalsecret.yaml`);

  /** The receivers that an alert with these labels reaches, in order. */
  function reached(labels: Record<string, string>): string[] {
    const found: string[] = [];
    for (const { matchers, receiver, continue: goesOn } of route.routes as Any[]) {
      const meant = (matchers as Any[]).every(({ name, matchType, value }) =>
        matchType === "=" ? labels[name] === value : new RegExp(`^(?:${value})$`).test(labels[name] ?? ""),
      );
      if (meant) found.push(receiver);
      if (meant && !goesOn) return found;
    }
    return [...found, route.receiver];
  }

  it.each([
    [{ alertname: "Watchdog", severity: "none" }, ["heartbeat"]],
    [{ alertname: "InfoInhibitor", severity: "none" }, ["null"]],
    [{ alertname: "CephOSDDown", severity: "critical" }, ["ilert", "pushover"]],
    [{ alertname: "CPUThrottlingHigh", severity: "info" }, ["null"]],
    [{ alertname: "BackupMissed", severity: "warning" }, ["pushover"]],
    [{ alertname: "Strange" }, ["pushover"]],
  ])("%j reaches %j", (labels, names) => {
    expect(reached(labels as Record<string, string>)).toEqual(names);
    expect((receivers as Any[]).map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it("beats as often as whoever listens expects it", () => {
    expect((route.routes as Any[]).find(({ receiver }) => receiver === "heartbeat")).toMatchObject({
      groupWait: "0s",
      repeatInterval: "5m",
    });
  });

  it("takes every key from the Secret that has it", () => {
    const asked = [...JSON.stringify(receivers).matchAll(/"key":"([^"]+)"/g)].map(([, key]) => key);
    expect(asked.toSorted()).toEqual(Object.keys(secret!.object.spec.target.template.data));
    expect(secret!.object.spec.target.name).toBe("alertmanager-secret");
  });
});

describe("tuppr", () => {
  const versions = parse(read("versions.env").replaceAll("=", ": ")) as Record<string, string>;

  it("goes to the versions of versions.env, which stand in no other file", () => {
    const plan = (file: string) => substituted(documentsOf(`kubernetes/apps/system-upgrade/tuppr/config/${file}.yaml`)[0]!.object).spec;
    expect([plan("talosupgrade").talos.version, plan("kubernetesupgrade").kubernetes.version]).toEqual([
      versions.TALOS_VERSION,
      versions.KUBERNETES_VERSION,
    ]);
    for (const version of [versions.TALOS_VERSION!, versions.KUBERNETES_VERSION!])
      expect(FILES.filter((file) => file !== "kubernetes/flux/cluster/ks.yaml" && read(file).includes(version))).toEqual([]);
    expect(SETTINGS).toMatchObject({ TALOS_VERSION: versions.TALOS_VERSION, KUBERNETES_VERSION: versions.KUBERNETES_VERSION });
  });

  it("waits for whole copies of the data and for backups", () => {
    for (const kind of ["TalosUpgrade", "KubernetesUpgrade"]) {
      const [plan] = ofKind(kind, "tuppr.home-operations.com");
      expect((plan!.object.spec.healthChecks as Any[]).map((check) => check.kind)).toEqual(["Node", "CephCluster", "ReplicationSource"]);
    }
  });
});

describe("a runner", () => {
  const folder = "kubernetes/apps/actions-runner-system/home-ops-runner/app";
  const { values } = documentsOf(`${folder}/helmrelease.yaml`)[0]!.object.spec;
  const { metadata, spec } = values.template;

  it("has no token of the cluster, no role, and no Talos", () => {
    expect(spec.automountServiceAccountToken).toBe(false);
    expect([spec.serviceAccountName, values.containerMode]).toEqual([undefined, undefined]);
    const own = TREE.filter(({ file }) => file.startsWith("kubernetes/apps/actions-runner-system/")).map(({ kind }) => kind);
    expect(own.filter((kind) => /Role|ServiceAccount/.test(kind))).toEqual([]);
    expect(read("talos/machineconfig.yaml.njk")).not.toContain("actions-runner-system");
  });

  it("reaches the world and names, and nothing of the home", () => {
    const policy = documentsOf(`${folder}/networkpolicy.yaml`)[0]!.object.spec;
    expect(metadata.labels).toMatchObject(policy.podSelector.matchLabels as object);
    expect([policy.ingress, policy.policyTypes]).toEqual([[], ["Egress", "Ingress"]]);
    const blocks = (policy.egress as Any[]).flatMap(({ to }) => to as Any[]).filter(({ ipBlock }) => ipBlock);
    expect(blocks.map(({ ipBlock }) => ipBlock.except)).toEqual([
      ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    ]);
  });

  it("runs the hook that refuses forks, from a file that no job can write", () => {
    const [container] = spec.containers as Any[];
    expect(container.env).toContainEqual({ name: "ACTIONS_RUNNER_HOOK_JOB_STARTED", value: "/etc/runner/job-started.sh" });
    expect(container.volumeMounts).toContainEqual({ name: "hooks", mountPath: "/etc/runner", readOnly: true });
    const [made] = documentsOf(`${folder}/kustomization.yaml`)[0]!.object.configMapGenerator as Any[];
    expect((spec.volumes as Any[]).find(({ name }) => name === "hooks").configMap.name).toBe(made.name);
    expect(made.files).toEqual(["job-started.sh=./resources/job-started.sh"]);
  });

  it("is of one version with its controller", () => {
    const tag = (app: string) => documentsOf(`kubernetes/apps/actions-runner-system/${app}/app/ocirepository.yaml`)[0]!.object.spec.ref.tag;
    expect(tag("home-ops-runner")).toBe(tag("actions-runner-controller"));
  });
});
