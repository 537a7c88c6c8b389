// Who hears of trouble, which versions upgrades go to, and what a runner of other people's code may do.
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { type Any, documentsOf, FILES, ofKind, read, SETTINGS, substituted, TREE } from "./tree.ts";

describe("Alertmanager", () => {
  const folder = "kubernetes/apps/observability/kube-prometheus-stack/app";
  const [main, beside] = documentsOf(`${folder}/alertmanagerconfig.yaml`).map(({ object }) => object) as [Any, Any];
  const { receivers, route } = main.spec;
  const spec = documentsOf(`${folder}/helmrelease.yaml`)[0]!.object.spec.values.alertmanager.alertmanagerSpec;
  const secrets = documentsOf(`${folder}/externalsecret.yaml`).map(({ object }) => object.spec);

  /** The receivers that an alert with these labels reaches, in order. The operator puts what is selected first, and goes on after it. */
  function reached(labels: Record<string, string>, selected: Any[] = [beside]): string[] {
    const found: string[] = [];
    const before = selected.map((one) => ({ ...one.spec.route, continue: true }));
    for (const { matchers, receiver, continue: goesOn } of [...before, ...route.routes] as Any[]) {
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
    expect([...receivers, ...beside.spec.receivers].map(({ name }: Any) => name)).toEqual(expect.arrayContaining(names));
  });

  it("selects what stands beside its own configuration, for alerts of every namespace", () => {
    expect(spec.alertmanagerConfiguration).toEqual({ name: main.metadata.name });
    expect(spec.alertmanagerConfigSelector.matchLabels).toEqual(beside.metadata.labels);
    expect(spec.alertmanagerConfigMatcherStrategy).toEqual({ type: "None" });
  });

  it("needs no iLert: without its Secret the operator leaves that configuration out, and Pushover hears of everything", () => {
    expect(JSON.stringify(main)).not.toContain("ilert");
    expect(reached({ alertname: "CephOSDDown", severity: "critical" }, [])).toEqual(["pushover"]);
  });

  it("beats as often as whoever listens expects it", () => {
    expect((route.routes as Any[]).find(({ receiver }) => receiver === "heartbeat")).toMatchObject({
      groupWait: "0s",
      repeatInterval: "5m",
    });
  });

  it("takes every key from the Secret that has it", () => {
    const asked = [...JSON.stringify([main, beside]).matchAll(/\{"name":"([^"]+)","key":"([^"]+)"\}/g)].map(([, ...both]) =>
      both.join(" "),
    );
    const made = secrets.flatMap(({ target }) => Object.keys(target.template.data as object).map((key) => `${target.name} ${key}`));
    expect(asked.toSorted()).toEqual(made.toSorted());
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
    const [both] = documentsOf("kubernetes/apps/system-upgrade/tuppr/config/kustomization.yaml")[0]!.object.patches as Any[];
    const [{ op, path, value }] = parse(both.patch as string) as Any[];
    expect([both.target, op, path]).toEqual([{ group: "tuppr.home-operations.com" }, "add", "/spec/healthChecks"]);
    expect((value as Any[]).map((check) => check.kind)).toEqual(["Node", "CephCluster", "ReplicationSource"]);
    const plans = ["TalosUpgrade", "KubernetesUpgrade"].flatMap((kind) => ofKind(kind, "tuppr.home-operations.com"));
    expect(plans.map(({ object }) => object.spec.healthChecks)).toEqual([undefined, undefined]);
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
