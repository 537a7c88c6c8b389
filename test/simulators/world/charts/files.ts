// The files of a stub chart: right name, version and definitions, and templates that render what the simulated helm installs.
import { stringify } from "yaml";
import { INSTANCE_VALUES, monitorOf, type Rendering, workloadsOfChart } from "./objects.ts";
import { chartAt, chartName } from "./cluster-charts.ts";
import { definitionText } from "./definitions.ts";

/** Path below the chart's folder, and text. */
export type ChartFiles = Record<string, string>;

const NAME = "{{ .Release.Name }}";
const NAMESPACE = "{{ .Release.Namespace }}";

/** What Chart.yaml says, which is also the artifact's config. */
export const metadataOf = (url: string, version: string) => ({
  apiVersion: "v2",
  name: chartName(url),
  version,
  appVersion: version,
  type: "application",
  description: "What the simulated home needs of this chart",
});

/** The chart at this address in this version, written anew from what chart-objects.ts renders. */
export function chartFiles(url: string, version: string): ChartFiles {
  const { crds = [], definitions = "crds" } = chartAt(url) ?? {};
  const release: Rendering = { name: NAME, namespace: NAMESPACE, url, version, values: {} };
  const texts = crds.map((crd) => definitionText(crd)).join("---\n");
  const files: ChartFiles = {
    "Chart.yaml": stringify(metadataOf(url, version)),
    "values.yaml": typeof definitions === "string" ? "{}\n" : stringify(nested(definitions.value.split("."), definitions.normally)),
    "templates/_monitor.tpl": ASKS_FOR_MONITOR,
    "templates/monitor.yaml": `{{- if include "asks-for-monitor" .Values.AsMap }}\n${stringify(monitorOf(release))}{{- end }}\n`,
  };
  const workloads = workloadsOfChart(release);
  if (workloads.length > 0) files["templates/workloads.yaml"] = workloads.map((one) => stringify(one)).join("---\n");
  if (crds.length > 0 && definitions === "crds") files["crds/crds.yaml"] = texts;
  if (crds.length > 0 && definitions === "templates") files["templates/crds.yaml"] = literal(texts);
  if (crds.length > 0 && typeof definitions === "object")
    files["templates/crds.yaml"] = `{{- if .Values.${definitions.value} }}\n${literal(texts)}{{- end }}\n`;
  if (chartName(url) === "flux-instance")
    Object.assign(files, { "values.yaml": stringify({ instance: INSTANCE_VALUES }), "templates/instance.yaml": INSTANCE });
  return files;
}

const nested = ([key = "", ...rest]: string[], value: boolean): object => ({ [key]: rest.length > 0 ? nested(rest, value) : value });

/** Text that a template prints as it is. */
const literal = (text: string) => text.replaceAll("{{", '{{ "{{" }}');

/** As `wantsMonitor` of cluster-charts.ts: a key called monitor or serviceMonitor, anywhere, that is enabled or to be created. */
const ASKS_FOR_MONITOR = `{{- define "asks-for-monitor" -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- if regexMatch "(?i)^(service)?monitor$" (toString $key) -}}
{{- if or (eq (toString $value.enabled) "true") (eq (toString $value.create) "true") -}}yes{{- end -}}
{{- end -}}
{{- end -}}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) -}}{{- include "asks-for-monitor" $value -}}{{- end -}}
{{- end -}}
{{- end -}}
`;

const INSTANCE = `apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata:
  name: flux
  namespace: ${JSON.stringify(NAMESPACE)}
  labels:
    app.kubernetes.io/instance: ${JSON.stringify(NAME)}
    app.kubernetes.io/managed-by: Helm
  {{- with .Values.commonAnnotations }}
  annotations: {{ toJson . }}
  {{- end }}
spec: {{ toJson .Values.instance }}
`;
