// What charts do to a cluster beyond their values (scripts/lint/charts.yaml), and what their values may hold (scripts/lint/schemas/charts/*.txt).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChartValues, readChartValues } from "./chart-values.ts";
import { groupOf, isHelmRelease } from "../tree/object.ts";
import { readDocuments } from "../tree/parse.ts";
import type { KubeObject, Located, Tree } from "../tree/types.ts";
import { whenPresentNow } from "../run/files.ts";

const FOLDER = join(import.meta.dirname, "../../lint");
export const LEVELS = ["restricted", "baseline", "privileged"] as const;
export type PodSecurity = (typeof LEVELS)[number];
/** A name, or the path of values that hold names: `cephBlockPools[].storageClass.name`. */
export type Named = string | { path: string };

export interface ChartFacts {
  values?: string;
  podSecurity?: PodSecurity;
  podSecurityWhen?: string;
  crds?: Record<string, string[]>;
  crdsWhen?: string;
  laterCrds?: Record<string, string[]>;
  controls?: string[];
  takes?: number;
  usesSecrets?: Named[];
  needs?: { group: string; kind: string; when?: string }[];
  webhooks?: string[];
  populators?: string[];
  storageClasses?: Named[];
  snapshotClasses?: Named[];
  secrets?: string[];
  services?: string[];
  node?: boolean;
  network?: boolean;
  workloads?: "values";
}

interface ChartsFile {
  charts: Record<string, ChartFacts>;
  clusterScoped: Record<string, string[]>;
}

let file: ChartsFile | undefined;
const facts = () => (file ??= readDocuments(readFileSync(join(FOLDER, "charts.yaml"), "utf8")).documents[0]!.value as ChartsFile);

/** The description of a chart by its URL; undefined for a chart without one. */
export const factsOf = (chart: string | undefined): ChartFacts | undefined => (chart === undefined ? undefined : facts().charts[chart]);

/** Every chart that is described. */
export const knownCharts = (): Record<string, ChartFacts> => facts().charts;

/** Whether a custom kind is known to have no namespace. */
export const isClusterScopedKind = (object: Pick<KubeObject, "apiVersion" | "kind">) =>
  facts().clusterScoped[groupOf(object)]?.includes(object.kind) ?? false;

const lists = new Map<string, ChartValues | undefined>();

/** The values that a chart knows, by the chart's URL. */
export function valuesOf(chart: string | undefined): ChartValues | undefined {
  const name = factsOf(chart)?.values;
  if (name === undefined) return undefined;
  if (!lists.has(name)) {
    const path = join(FOLDER, "schemas/charts", `${name}.txt`);
    const text = whenPresentNow(() => readFileSync(path, "utf8"));
    lists.set(name, text === undefined ? undefined : readChartValues(text));
  }
  return lists.get(name);
}

/** What stands at a path of some values (`a.b[].c` may be several), the chart's own defaults where the values say nothing. */
export function lookUp(values: unknown, path: string, chart?: string): unknown[] {
  const steps = path.split(".").flatMap((step) => (step.endsWith("[]") ? [step.slice(0, -2), "[]"] : [step]));
  let found: unknown[] = [values];
  for (const step of steps)
    found = found.flatMap((one) =>
      step === "[]" ? (Array.isArray(one) ? (one as unknown[]) : []) : [(one as Record<string, unknown> | null | undefined)?.[step]],
    );
  const defined = found.filter((one) => one !== undefined && one !== null);
  if (defined.length > 0) return defined;
  const fallback = valuesOf(chart)?.paths.get(path)?.fallback;
  return fallback === undefined ? [] : [fallback];
}

/** Whether a value is on, or a map that is not empty: by the release's values, else by the chart's default. */
export const isOn = (values: unknown, path: string | undefined, chart: string | undefined) =>
  path === undefined || lookUp(values, path, chart).some((one) => one === true || one === "true" || isFilled(one));

const isFilled = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** The URL and version of the chart of every HelmRelease of a tree, by `namespace/name`. */
export function chartsOf(tree: Pick<Tree, "kustomizations">): Map<string, { chart?: string; version?: string; located: Located }> {
  const applied = tree.kustomizations.flatMap(({ built }) => built);
  const sources = new Map(applied.map(({ object }) => [`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, object]));
  return new Map(
    applied.filter(isHelmRelease).map((located) => {
      const { metadata, spec } = located.object as KubeObject & {
        spec?: { chartRef?: Ref; chart?: { spec?: { chart?: string; version?: string; sourceRef?: Ref } } };
      };
      return [`${metadata.namespace}/${metadata.name}`, { ...chartOf(spec, metadata.namespace, sources), located }];
    }),
  );
}

interface Ref {
  kind: string;
  name: string;
  namespace?: string;
}

function chartOf(
  spec: { chartRef?: Ref; chart?: { spec?: { chart?: string; version?: string; sourceRef?: Ref } } } | undefined,
  namespace: string | undefined,
  sources: ReadonlyMap<string, KubeObject>,
): { chart?: string; version?: string } {
  const ref = spec?.chartRef ?? spec?.chart?.spec?.sourceRef;
  const source = ref && sources.get(`${ref.kind} ${ref.namespace ?? namespace}/${ref.name}`);
  const url = (source?.spec as { url?: string } | undefined)?.url;
  if (!source || url === undefined) return {};
  const own = spec?.chart?.spec;
  if (spec?.chartRef === undefined && own)
    return { chart: `${url.replace(/\/$/, "")}/${own.chart}`, ...(own.version && { version: own.version }) };
  const { tag, semver } = ((source.spec as { ref?: { tag?: string; semver?: string } }).ref ?? {}) as { tag?: string; semver?: string };
  const version = tag ?? semver;
  return { chart: url, ...(version !== undefined && { version }) };
}
