// The keys that a release provides and needs according to the description of its chart in scripts/lint/charts.yaml.
import { type ChartFacts, isOn, lookUp, type Named } from "../chart-facts.ts";
import { existsKey, groupKey, kindKey, provisionedKey, secretKey, serviceKey, storageClassKey } from "./keys.ts";
import type { Key } from "./step.ts";
import type { Release } from "./release-model.ts";

export type { ChartFacts };
/** By URL, as scripts/lint/charts.yaml has them. */
export type Charts = Readonly<Record<string, ChartFacts>>;

type Kinds = Record<string, string[]>;

const keysOf = (kinds: Kinds | undefined): Key[] =>
  Object.entries(kinds ?? {}).flatMap(([group, names]) => names.map((name) => (name === "*" ? groupKey(group) : kindKey(group, name))));

/** The definitions that a chart brings by itself, where its values let it. */
export const definitionsOf = ({ chart, facts, values }: Pick<Release, "chart" | "facts" | "values">): Key[] =>
  isOn(values, facts?.crdsWhen, chart) ? keysOf(facts?.crds) : [];

/** The definitions that its operator makes once it runs. */
export const laterDefinitionsOf = ({ facts }: Pick<Release, "facts">): Key[] => keysOf(facts?.laterCrds);

/** The kinds that the API server must know before the chart is applied; those that it brings itself Helm has applied before. */
export function neededKinds(release: Release): Key[] {
  const own = new Set(definitionsOf(release));
  const { chart, facts, values } = release;
  const wanted = (facts?.needs ?? []).filter(({ when }) => isOn(values, when, chart));
  return [...new Set(wanted.map(({ group, kind }) => kindKey(group, kind)))].filter(
    (key) => !own.has(key) && !own.has(groupKey(key.slice(5, key.indexOf("/")))),
  );
}

/** What is there once its manifests are applied: definitions, classes, Secrets. */
export const installed = (release: Release): Key[] => [
  ...definitionsOf(release),
  ...namesOf(release.facts?.storageClasses, release).map(storageClassKey),
  ...namesOf(release.facts?.snapshotClasses, release).map((name) =>
    existsKey({ group: "snapshot.storage.k8s.io", kind: "VolumeSnapshotClass", namespace: "", name }),
  ),
  ...namesOf(release.facts?.secrets, release).map((name) => secretKey(release.namespace, name)),
];

/** The classes of which it makes volumes, once its workloads run. */
export const provisionedBy = (release: Release): Key[] => namesOf(release.facts?.storageClasses, release).map(provisionedKey);

/** Secrets of its namespace that its Pods use, beyond what its values say in the words of the Pod API. */
export const usedSecrets = (release: Release): Key[] =>
  namesOf(release.facts?.usesSecrets, release).map((name) => secretKey(release.namespace, name));

/** The Services behind which its Pods answer. */
export const servedBy = (release: Release): Key[] =>
  [...new Set([release.releaseName, ...namesOf(release.facts?.services, release)])].map((name) => serviceKey(release.namespace, name));

/** Names as they stand or as the values have them, with the release's own name in place. */
function namesOf(list: readonly Named[] | undefined, { chart, values, releaseName }: Release): string[] {
  const names = (list ?? []).flatMap((one) => (typeof one === "string" ? [one] : lookUp(values, one.path, chart)));
  return names
    .filter((name): name is string => typeof name === "string" && name !== "")
    .map((name) => name.replaceAll("{release}", releaseName).replaceAll(/\{\{\s*\.Release\.Name\s*\}\}/g, releaseName));
}

/** The APIs that its controllers work on; those of its own definitions where the facts do not say. */
export const controlledBy = ({ facts }: Pick<Release, "facts">): string[] => facts?.controls ?? [];

/** The chart that provides a kind, or whose controller handles an API: the fix for a missing one names it. */
export const chartBringing = (group: string, kind: string, charts: Charts) =>
  Object.entries(charts).find(([, { crds, laterCrds }]) =>
    [crds, laterCrds].some((kinds) => kinds?.[group]?.some((one) => one === kind || one === "*")),
  )?.[0];

export const chartControlling = (group: string, charts: Charts) =>
  Object.entries(charts).find(([, { controls }]) => controls?.includes(group))?.[0];

/** What is known of a chart by its address; a mirror's address ends in the same word. */
export const factsAt = (address: string, charts: Charts): ChartFacts | undefined =>
  charts[address] ?? mirrored(charts).get(lastWord(address));

const lastWord = (address: string) => address.slice(address.lastIndexOf("/") + 1);
const words = new WeakMap<Charts, Map<string, ChartFacts>>();

function mirrored(charts: Charts): Map<string, ChartFacts> {
  const known = words.get(charts) ?? new Map(Object.entries(charts).map(([address, facts]) => [lastWord(address), facts]));
  words.set(charts, known);
  return known;
}

/** The kind whose definition has a name: `dnsendpoints.externaldns.k8s.io`. */
export function kindNamed(definition: string, charts: Charts): Key {
  const [plural = "", ...rest] = definition.split(".");
  const group = rest.join(".");
  const kinds = Object.values(charts).flatMap(({ crds, laterCrds }) => [...(crds?.[group] ?? []), ...(laterCrds?.[group] ?? [])]);
  const kind = kinds.find((one) => pluralsOf(one.toLowerCase()).includes(plural));
  return kindKey(group, kind ?? plural);
}

const pluralsOf = (word: string) => [`${word}s`, `${word}es`, word.replace(/y$/, "ies")];
