// A HelmRelease as the simulation sees it: its chart's address, its values, what is known of the chart.
import { groupOf } from "../../tree/object.ts";
import type { KubeObject, Located } from "../../tree/types.ts";
import { factsAt } from "./chart-keys.ts";
import { existsKey } from "./keys.ts";
import type { World } from "./world.ts";
import type { Release } from "./release-model.ts";

const SOURCE = "source.toolkit.fluxcd.io";

/** Reads a HelmRelease; the chart's address is unknown where its source is not in this tree. */
export function releaseOf({ object }: Located, world: World): Release {
  const namespace = object.metadata.namespace ?? "";
  const spec = (object.spec ?? {}) as Record<string, any>;
  const { chart, chartSource } = chartOf(spec, namespace, world);
  return {
    name: object.metadata.name,
    namespace: spec.targetNamespace ?? namespace,
    releaseName: spec.releaseName ?? (spec.targetNamespace ? `${spec.targetNamespace}-${object.metadata.name}` : object.metadata.name),
    chart,
    chartSource,
    facts: chart === undefined ? undefined : factsAt(chart, world.input.charts),
    values: (spec.values ?? {}) as Record<string, unknown>,
  };
}

function chartOf(spec: Record<string, any>, namespace: string, world: World): Pick<Release, "chart" | "chartSource"> {
  const reference = spec.chartRef ?? spec.chart?.spec?.sourceRef;
  if (!reference?.kind) return {};
  const key = existsKey({ group: SOURCE, kind: reference.kind, namespace: reference.namespace ?? namespace, name: reference.name });
  const source: KubeObject | undefined = world.objects.get(key)?.object;
  const url = source && groupOf(source) === SOURCE && typeof source.spec?.url === "string" ? source.spec.url : undefined;
  const name = spec.chart?.spec?.chart;
  if (reference.kind === "OCIRepository") return { chart: url, chartSource: key };
  if (reference.kind === "HelmRepository")
    return { chart: url && name ? `${url.replace(/\/$/, "")}/${name}` : undefined, chartSource: key };
  return { chart: undefined, chartSource: key }; // a chart in a Git repository or a bucket: nobody can describe it beforehand
}
