// The charts of storage, observability and operations: what they bring, and the objects that their releases need kinds or classes for.
import { type Chart, chart, group, when } from "./cluster-chart.ts";
import type { KubeObject } from "../cluster/state.ts";

const storageClass = (name: string, provisioner: string): KubeObject => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name },
  provisioner,
});

const snapshotClass = ({ name }: { name: string }, driver: string): KubeObject => ({
  apiVersion: "snapshot.storage.k8s.io/v1",
  kind: "VolumeSnapshotClass",
  metadata: { name },
  driver,
  deletionPolicy: "Delete",
});

const ROOK = [
  ...group(
    "ceph.rook.io",
    "cephblockpools CephBlockPool v1",
    "cephclusters CephCluster v1",
    "cephfilesystems CephFilesystem v1",
    "cephobjectstores CephObjectStore v1",
  ),
  ...group("csi.ceph.io", "cephconnections CephConnection v1", "drivers Driver v1", "operatorconfigs OperatorConfig v1"),
];

/** What rook-ceph-cluster makes: the cluster, a pool or filesystem for each class, and the classes themselves. */
function ceph({ namespace, values }: { namespace: string; values: any }): KubeObject[] {
  const apiVersion = "ceph.rook.io/v1";
  const named = (kind: string, { name, spec }: { name: string; spec: object }) => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec,
  });
  const pools = (values.cephBlockPools ?? []) as any[];
  const filesystems = (values.cephFileSystems ?? []) as any[];
  return [
    named("CephCluster", { name: namespace, spec: values.cephClusterSpec ?? {} }),
    ...pools.flatMap((pool) => [
      named("CephBlockPool", pool),
      storageClass(pool.storageClass.name as string, `${namespace}.rbd.csi.ceph.com`),
    ]),
    ...filesystems.flatMap((one) => [
      named("CephFilesystem", one),
      storageClass(one.storageClass.name as string, `${namespace}.cephfs.csi.ceph.com`),
    ]),
    ...(values.cephBlockPoolsVolumeSnapshotClass?.enabled
      ? [snapshotClass(values.cephBlockPoolsVolumeSnapshotClass, `${namespace}.rbd.csi.ceph.com`)]
      : []),
    ...(values.cephFileSystemVolumeSnapshotClass?.enabled
      ? [snapshotClass(values.cephFileSystemVolumeSnapshotClass, `${namespace}.cephfs.csi.ceph.com`)]
      : []),
  ];
}

const drivers = ({ namespace, values }: { namespace: string; values: any }): KubeObject[] =>
  Object.values((values.drivers ?? {}) as Record<string, { name: string; enabled: boolean }>)
    .filter(({ enabled }) => enabled)
    .map(({ name }) => ({ apiVersion: "csi.ceph.io/v1", kind: "Driver", metadata: { name, namespace }, spec: {} }));

/** The definitions of the Prometheus operator. */
const PROMETHEUS = group(
  "monitoring.coreos.com",
  "alertmanagerconfigs AlertmanagerConfig v1alpha1 amcfg",
  "alertmanagers Alertmanager v1 am",
  "podmonitors PodMonitor v1 pmon",
  "probes Probe v1 prb",
  "prometheusagents PrometheusAgent v1alpha1 promagent",
  "prometheuses Prometheus v1 prom",
  "prometheusrules PrometheusRule v1 promrule",
  "scrapeconfigs ScrapeConfig v1alpha1 scfg",
  "servicemonitors ServiceMonitor v1 smon",
  "thanosrulers ThanosRuler v1 ruler",
);
const PROMETHEUS_STACK = ["Deployment/kube-prometheus-stack-operator", "Deployment/kube-state-metrics", "DaemonSet/node-exporter"];

/** By the last word of the chart's address. */
export const HOME: Record<string, Chart> = {
  "ceph-csi-drivers": { ...chart([]), objects: drivers },
  "fluent-bit": chart(["DaemonSet/fluent-bit"]),
  "gha-runner-scale-set": {
    ...chart([]),
    objects: ({ name, namespace, values }) => [
      {
        apiVersion: "actions.github.com/v1alpha1",
        kind: "AutoscalingRunnerSet",
        metadata: { name, namespace },
        spec: { githubConfigSecret: values.githubConfigSecret },
      },
    ],
  },
  "gha-runner-scale-set-controller": chart(
    ["Deployment/actions-runner-controller"],
    group(
      "actions.github.com",
      "autoscalinglisteners AutoscalingListener v1alpha1",
      "autoscalingrunnersets AutoscalingRunnerSet v1alpha1",
      "ephemeralrunners EphemeralRunner v1alpha1",
      "ephemeralrunnersets EphemeralRunnerSet v1alpha1",
    ),
  ),
  "kube-prometheus-stack": chart(PROMETHEUS_STACK, PROMETHEUS),
  loki: chart(["StatefulSet/loki"]),
  openebs: {
    ...chart(["Deployment/openebs-localpv-provisioner"]),
    objects: ({ values }) => [storageClass(values["localpv-provisioner"].hostpathClass.name as string, "openebs.io/local")],
  },
  "prometheus-operator-crds": chart([], PROMETHEUS, "templates"),
  "prometheus-blackbox-exporter": chart(["Deployment/blackbox-exporter"]),
  "rook-ceph": chart(["Deployment/rook-ceph-operator"], ROOK, when("crds.enabled", true)),
  "rook-ceph-cluster": { ...chart(["Deployment/rook-ceph-tools"]), objects: ceph },
  tuppr: chart(
    ["Deployment/tuppr"],
    group("tuppr.home-operations.com", "kubernetesupgrades KubernetesUpgrade! v1alpha1", "talosupgrades TalosUpgrade! v1alpha1"),
  ),
};
