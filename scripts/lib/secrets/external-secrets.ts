// Every 1Password item and field that ExternalSecrets read, and whether a PushSecret of the tree writes it.
import type { FluxKustomization, KubeObject, Located, Source, Tree } from "../tree/types.ts";

export interface NeededSecret {
  item: string;
  /** Undefined where the whole item is taken. */
  field?: string;
  /** `ExternalSecret network/app` */
  by: string;
  source: Source;
  /** A PushSecret of the tree writes it. */
  pushed: boolean;
}

type Remote = { key?: string; property?: string };

/** The list in the order of the tree: each item and field once per object that reads it. */
export function neededSecrets({ kustomizations }: Pick<Tree, "kustomizations">): NeededSecret[] {
  const applied = kustomizations.flatMap(({ built }: FluxKustomization) => built);
  const pushed = new Set(applied.filter(({ object }) => object.kind === "PushSecret").flatMap(({ object }) => pushedItems(object)));
  return applied
    .filter(({ object }) => object.kind === "ExternalSecret" || object.kind === "ClusterExternalSecret")
    .flatMap((located) => ofExternalSecret(located).map((one) => ({ ...one, pushed: pushed.has(one.item) })));
}

const pushedItems = ({ spec }: KubeObject): string[] =>
  ((spec?.data ?? []) as { match?: { remoteRef?: { remoteKey?: string } } }[]).flatMap(({ match }) => match?.remoteRef?.remoteKey ?? []);

function ofExternalSecret({ object, source }: Located): Omit<NeededSecret, "pushed">[] {
  const spec = (object.kind === "ClusterExternalSecret" ? object.spec?.externalSecretSpec : object.spec) ?? {};
  const by = `${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  const single = ((spec.data ?? []) as { remoteRef?: Remote }[]).flatMap(({ remoteRef }) =>
    remoteRef?.key ? [{ item: remoteRef.key, ...(remoteRef.property !== undefined && { field: remoteRef.property }), by, source }] : [],
  );
  const whole = ((spec.dataFrom ?? []) as { extract?: Remote }[]).flatMap(({ extract }) => extract?.key ?? []);
  const fields = templateFields(spec.target?.template).filter(
    (field) => !((spec.data ?? []) as { secretKey?: string }[]).some(({ secretKey }) => secretKey === field),
  );
  if (whole.length === 0) return single;
  if (fields.length === 0 || whole.length > 1)
    return [
      ...single,
      ...whole.map((item) => ({ item, by, source })),
      ...(whole.length > 1 ? fields.map((field) => ({ item: whole.join("|"), field, by, source })) : []),
    ];
  return [...single, ...fields.map((field) => ({ item: whole[0]!, field, by, source }))];
}

/** The fields that a target's template picks: `{{ .CLOUDFLARE_DNS_TOKEN }}`. */
export function templateFields(template: unknown): string[] {
  const found = new Set<string>();
  for (const [, expression = ""] of JSON.stringify(template ?? {}).matchAll(/\{\{(.*?)\}\}/g))
    for (const [, name = "", quoted = ""] of expression.matchAll(/(?:^|[\s(|])\.([A-Za-z_]\w*)|index\s+\.\s+\\"([^"\\]+)\\"/g))
      found.add(name || quoted);
  return [...found];
}
