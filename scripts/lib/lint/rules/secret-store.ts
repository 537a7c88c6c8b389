// Which namespaces a ClusterSecretStore serves. One without conditions gives every namespace each secret of the vault that it reads.
import { goPattern } from "../../tree/sops-rules.ts";
import { about, type RuleInput, type Rule } from "../rule-input.ts";
import type { Finding, Located } from "../../tree/types.ts";

/** An entry of spec.conditions: a namespace fits when any of the three fits (external-secrets, pkg/controllers/secretstore). */
interface Condition {
  namespaces?: string[];
  namespaceRegexes?: string[];
  namespaceSelector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown[] };
}

interface Use {
  located: Located;
  store: string;
  namespace: string;
}

export const secretStore: Rule = {
  name: "secret-store",
  about: "a ClusterSecretStore serves the namespaces that use it, and no others",
  check(input) {
    const stores = input.applied.filter(({ object }) => object.kind === "ClusterSecretStore");
    const uses = input.applied.flatMap(usesOf);
    return stores.flatMap((store) => [...refused(input, store, uses), ...tooWide(input, store, uses)]);
  },
};

/** The ClusterSecretStores that an object reads or writes through, with its namespace. */
function usesOf(located: Located): Use[] {
  const { kind, metadata, spec } = located.object;
  if (kind !== "ExternalSecret" && kind !== "PushSecret") return [];
  const sources = [
    ...((spec?.data ?? []) as { sourceRef?: { storeRef?: Ref } }[]),
    ...((spec?.dataFrom ?? []) as { sourceRef?: { storeRef?: Ref } }[]),
  ];
  const refs = [
    spec?.secretStoreRef as Ref | undefined,
    ...((spec?.secretStoreRefs ?? []) as Ref[]),
    ...sources.map(({ sourceRef }) => sourceRef?.storeRef),
  ];
  const names = refs.flatMap((ref) => (ref?.kind === "ClusterSecretStore" && ref.name !== undefined ? [ref.name] : []));
  return [...new Set(names)].map((store) => ({ located, store, namespace: metadata.namespace ?? "default" }));
}

interface Ref {
  kind?: string;
  name?: string;
}

const conditionsOf = ({ object }: Located) => (object.spec?.conditions ?? []) as Condition[];

function refused(input: RuleInput, store: Located, uses: readonly Use[]): Finding[] {
  const conditions = conditionsOf(store);
  if (conditions.length === 0) return [];
  const { name } = store.object.metadata;
  return uses
    .filter((use) => use.store === name && !conditions.some((condition) => fits(condition, use.namespace, input)))
    .map(({ located, namespace }) =>
      about(input, "secret-store", "error", located, ["spec"], {
        message: `namespace ${namespace} is not one that ClusterSecretStore ${name} serves`,
        why: "external-secrets denies it: its Secret never exists, and what mounts it never starts",
        fix: `add ${namespace} to spec.conditions[].namespaces in ${store.source.file}`,
      }),
    );
}

function fits({ namespaces = [], namespaceRegexes = [], namespaceSelector }: Condition, namespace: string, input: RuleInput): boolean {
  if (namespaces.includes(namespace) || namespaceRegexes.some((pattern) => goPattern(pattern).test(namespace))) return true;
  if (!namespaceSelector) return false;
  if (namespaceSelector.matchExpressions) return true; // not evaluated: an error here could be false
  const found = input.applied.find(({ object }) => object.kind === "Namespace" && object.metadata.name === namespace);
  const labels = { ...found?.object.metadata.labels, "kubernetes.io/metadata.name": namespace } as Record<string, string>;
  return Object.entries(namespaceSelector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function tooWide(input: RuleInput, store: Located, uses: readonly Use[]): Finding[] {
  const { name } = store.object.metadata;
  const conditions = conditionsOf(store);
  const used = new Set(uses.filter((use) => use.store === name).map(({ namespace }) => namespace));
  if (conditions.length === 0)
    return [
      about(input, "secret-store", "note", store, ["spec"], {
        message: "it serves every namespace",
        why: "anyone who may create an ExternalSecret in any namespace can read every item of the vault",
        fix: `limit it: spec.conditions: [{ namespaces: [${[...used].toSorted().join(", ")}] }]`,
      }),
    ];
  return conditions
    .flatMap(({ namespaces = [] }) => namespaces)
    .filter((namespace) => !used.has(namespace))
    .map((namespace) =>
      about(input, "secret-store", "note", store, ["spec", "conditions"], {
        message: `it serves namespace ${namespace}, and nothing there uses it`,
        why: "anyone who may create an ExternalSecret there can read every item of the vault",
        fix: `remove ${namespace} from spec.conditions`,
      }),
    );
}
