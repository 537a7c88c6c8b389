// A HelmRelease as steps: it starts when its chart and dependencies are there, installs, runs, and is ready when its workloads are (helm-controller).
import type { Located } from "../../tree/types.ts";
import { controlledBy, installed, laterDefinitionsOf, neededKinds, provisionedBy, servedBy, usedSecrets } from "./chart-keys.ts";
import { secondsOf } from "./duration.ts";
import { configMapKey, controllerKey, existsKey, madeKey, namespaceKey, readyKey, secretKey, webhookKey } from "./keys.ts";
import { APPLIED, DEPENDS_ON, need, type Key, type Need, type Step, type Unit } from "./step.ts";
import { valueNeeds } from "./values.ts";
import { fields, maps } from "./shape.ts";
import type { Release } from "./release-model.ts";

/** What a release is taken to need where its chart's facts do not say. */
const TAKES = 60;
const GROUP = "helm.toolkit.fluxcd.io";

/** How often a release tries again: for ever, or only so many times before it stalls. */
export interface Patience {
  /** Seconds between two attempts. */
  interval: number;
  timeout: number;
  /** Attempts until it gives up; Infinity where install and upgrade both retry. */
  attempts: number;
}

/** A failed install is retried as an upgrade: only if both retry does the release never stall. helm-controller may have retrying as its default. */
export function patienceOf({ object }: Located, retriesByDefault: boolean): Patience {
  const { timeout, interval } = fields(object.spec);
  const [install, upgrade] = [fields(object.spec?.install), fields(object.spec?.upgrade)];
  const retries = ({ strategy }: Record<string, any>) => (strategy ? strategy.name === "RetryOnFailure" : retriesByDefault);
  const again = secondsOf(install.strategy?.retryInterval, 300);
  const within = secondsOf(install.timeout ?? timeout, 300);
  if (retries(install))
    return { interval: again, timeout: within, attempts: retries(upgrade) ? Infinity : 2 + Math.max(0, upgrade.remediation?.retries ?? 0) };
  const times = install.remediation?.retries ?? 0; // each uninstalls and installs anew; a negative number never gives up
  return { interval: secondsOf(interval, 300), timeout: within, attempts: times < 0 ? Infinity : 1 + times };
}

/** The steps of a release that Flux installs. */
export function releaseSteps(located: Located, release: Release, unit: Unit): Step[] {
  const { object, source } = located;
  const spec = fields(object.spec);
  const step = (phase: string, needs: Need[], provides: Key[], takes: number): Step => ({
    name: `${unit.name}: ${phase}`,
    unit,
    needs,
    provides,
    takes,
    source,
  });
  const after = (phase: string) => need(`done:${unit.name}: ${phase}`, "guard", "comes after", source);
  const done = (phase: string) => `done:${unit.name}: ${phase}`;
  const own = object.metadata.namespace ?? "";

  const start: Need[] = [need(existsKey(object), "guard", APPLIED, source)];
  if (spec.suspend === true) start.push(need(`resumed:HelmRelease ${own}/${object.metadata.name}`, "guard", "is suspended", source));
  if (release.chartSource) start.push(need(release.chartSource.replace(/^exists:/, "ready:"), "guard", "takes its chart from %", source));
  for (const { name, namespace = own } of maps(spec.dependsOn))
    start.push(need(readyKey({ group: GROUP, kind: "HelmRelease", namespace, name }), "guard", DEPENDS_ON, source));
  const install: Need[] = [after("start"), ...installNeeds(release, spec, own, source)];
  const run: Need[] = [after("install"), ...valueNeeds(release, located)];
  for (const key of usedSecrets(release)) run.push(need(key, "wait", "has Pods that use %", source));
  const ready = spec.install?.disableWait ? "install" : "run";
  return [
    step("start", start, [done("start")], 1),
    step("install", install, [done("install"), ...installed(release)], 10),
    step("run", run, [done("run"), ...running(release)], release.facts?.takes ?? TAKES),
    step("ready", [after(ready)], [readyKey(object)], 1),
  ];
}

function installNeeds(release: Release, spec: Record<string, any>, own: string, source: Located["source"]): Need[] {
  const needs: Need[] = [];
  if (!spec.install?.createNamespace) needs.push(need(namespaceKey(release.namespace), "attempt", "installs into %", source));
  for (const { kind, name, optional } of maps(spec.valuesFrom))
    if (!optional)
      needs.push(need(kind === "ConfigMap" ? configMapKey(own, name) : secretKey(own, name), "attempt", "takes values from %", source));
  for (const key of neededKinds(release)) needs.push(need(key, "attempt", "has objects in its chart that need %", source));
  return needs;
}

/** What is there once its workloads run. */
export const running = (release: Release): Key[] => [
  ...laterDefinitionsOf(release),
  ...neededKinds(release).map((kind) => madeKey(kind, release.namespace)),
  ...controlledBy(release).map(controllerKey),
  ...(release.facts?.webhooks ?? []).map(webhookKey),
  ...servedBy(release),
  ...provisionedBy(release),
];
