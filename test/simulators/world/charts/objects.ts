// What a chart of the home renders for a release: the one source of what the simulated helm installs and of the charts that the simulated registries hold.
import { type Chart, chartAt, chartName, wantsMonitor } from "./cluster-charts.ts";
import { withNeeds } from "../cluster/pods.ts";
import { mergePatch } from "../cluster/store.ts";
import type { KubeObject } from "../cluster/state.ts";

export interface Rendering {
  name: string;
  namespace: string;
  url: string;
  version: string;
  values: any;
}

/** As `helm template --include-crds` prints it: the definitions of `crds/`, and the templates. Helm's own annotations come with an install. */
export function renderedBy(release: Rendering): { crds: KubeObject[]; objects: KubeObject[] } {
  const { url, values } = release;
  const chart = chartFor(release);
  const apart = chart.definitions === "crds";
  return {
    crds: apart ? chart.crds : [],
    objects: [
      ...(!apart && rendersDefinitions(chart, values) ? chart.crds : []),
      ...workloadsOfChart(release).map((workload) => withNeeds(workload, release)),
      ...objectsOfChart(release),
      ...(wantsMonitor(values) ? [monitorOf(release)] : []),
      ...(chartName(url) === "flux-instance" ? [instanceOf(release)] : []),
    ],
  };
}

/** A chart that the home was not taught is one Deployment. */
const chartFor = ({ url, name }: Rendering): Chart =>
  chartAt(url) ?? { crds: [], madeByOperator: [], workloads: [`Deployment/${name}`], definitions: "crds" };

function rendersDefinitions({ definitions }: Chart, values: any): boolean {
  if (typeof definitions === "string") return true;
  const said = definitions.value.split(".").reduce<any>((at, key) => at?.[key], values);
  return said === undefined ? definitions.normally : said === true;
}

const labelsOf = (name: string) => ({ "app.kubernetes.io/instance": name, "app.kubernetes.io/managed-by": "Helm" });

/** What every release of the chart runs, whatever its values. */
export const workloadsOfChart = (release: Rendering): KubeObject[] =>
  chartFor(release).workloads.map((workload) => workloadOf(workload, release.namespace, release.version, labelsOf(release.name)));

/** What the chart makes besides workloads, of these values. */
export const objectsOfChart = (release: Rendering): KubeObject[] =>
  (chartFor(release).objects?.(release) ?? []).map((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: labelsOf(release.name) },
  }));

/** The ServiceMonitor of a release whose values ask for one. */
export const monitorOf = ({ name, namespace }: Rendering): KubeObject => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
  metadata: { name, namespace, labels: labelsOf(name) },
  spec: { endpoints: [{ port: "metrics" }], selector: { matchLabels: { "app.kubernetes.io/instance": name } } },
});

function instanceOf({ name, namespace, values }: Rendering): KubeObject {
  const annotations = values?.commonAnnotations;
  return {
    apiVersion: "fluxcd.controlplane.io/v1",
    kind: "FluxInstance",
    metadata: { name: "flux", namespace, labels: labelsOf(name), ...(annotations && { annotations }) },
    spec: mergePatch(INSTANCE_VALUES, values?.instance ?? {}),
  };
}

/** What the chart of a FluxInstance says itself, as far as the instance must have it. */
export const INSTANCE_VALUES = {
  cluster: { type: "kubernetes", domain: "cluster.local", networkPolicy: true, multitenant: false, tenantDefaultServiceAccount: "default" },
  components: ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
  distribution: {
    artifact: "oci://ghcr.io/controlplaneio-fluxcd/flux-operator-manifests:latest",
    registry: "ghcr.io/fluxcd",
    version: "2.x",
  },
};

/** A Deployment or DaemonSet with one container: `Deployment/coredns`, or `Deployment/*` where it is named after its release. */
export function workloadOf(workload: string, namespace: string, version: string, labels: Record<string, string>): KubeObject {
  const [kind = "", word = ""] = workload.split("/");
  const name = word === "*" ? labels["app.kubernetes.io/instance"]! : word;
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace, labels },
    spec: {
      ...(kind === "Deployment" && { replicas: 1 }),
      selector: { matchLabels: { "app.kubernetes.io/name": name } },
      template: { metadata: { labels: { "app.kubernetes.io/name": name } }, spec: { containers: [{ name, image: `${name}:${version}` }] } },
    },
  };
}
