// external-secrets: stores are valid while 1Password Connect answers; a Secret follows where the vault has every item and field that it is made of.
import { type Around, isReadyNow, ready } from "../flux/status.ts";
import { PACE, type Step } from "./nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, entryAt, storeOf } from "./store.ts";
import { Untaught } from "../tool.ts";
import type { ClusterState, Entry } from "./state.ts";

export function externalSecretSteps(state: Readonly<ClusterState>, { vaultHas }: Pick<Around, "vaultHas">): Step[] {
  if (!runs(state, "Deployment/external-secrets", "external-secrets")) return [];
  const connect = runs(state, "Deployment/onepassword-connect", "external-secrets");
  const stores = entriesOf(state, "clustersecretstores.external-secrets.io");
  const valid = stores.find(isReadyNow);
  const steps = stores.map((entry): [Entry, ReturnType<typeof ready>] => [
    entry,
    connect ? ready(entry, "True", "Valid", "store validated") : ready(entry, "False", "ValidationFailed", "unable to validate store"),
  ]);
  for (const entry of entriesOf(state, "externalsecrets.external-secrets.io")) {
    const { metadata, spec } = entry.object;
    const target = spec.target?.name ?? metadata.name;
    const isMade = spec.refreshPolicy === "CreatedOnce" && entryAt(state, "secrets", metadata.namespace!, target as string) !== undefined;
    const vault = Object.keys(valid?.object.spec.provider.onepassword.vaults ?? {})[0] ?? "";
    const failed = !valid
      ? "could not get secret data from provider"
      : !serves(valid, metadata.namespace!)
        ? `could not get secret data from provider: using cluster store "${valid.object.metadata.name}" is not allowed from namespace "${metadata.namespace}": denied by spec.condition`
        : isMade
          ? undefined
          : lacking(spec, vault, vaultHas);
    if (failed !== undefined) steps.push([entry, ready(entry, "False", "SecretSyncedError", failed)]);
    else {
      const done = ready(entry, "True", "SecretSynced", "secret synced");
      const apply = (state: ClusterState, now: number) => {
        storeOf(state, now, "external-secrets").apply({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: target as string, namespace: metadata.namespace! },
        });
        done!(state, now);
      };
      if (done) steps.push([entry, apply]);
    }
  }
  return steps.flatMap(([entry, apply]) =>
    apply ? [{ at: entry.at + PACE.reconcile, what: `${entry.object.kind} ${entry.object.metadata.name} is looked at`, apply }] : [],
  );
}

/** Whether a store's conditions allow a namespace; a store without conditions serves all. */
function serves({ object: { spec } }: Entry, namespace: string): boolean {
  const conditions = (spec.conditions ?? []) as { namespaces?: string[] }[];
  const untaught = conditions.flatMap(Object.keys).find((key) => key !== "namespaces");
  if (untaught !== undefined) throw new Untaught(`spec.conditions[].${untaught} of a ClusterSecretStore`);
  return conditions.length === 0 || conditions.some(({ namespaces = [] }) => namespaces.includes(namespace));
}

/** What the provider says of the first item or field that is not there; undefined when everything is. */
function lacking(spec: any, vault: string, has: Around["vaultHas"]): string | undefined {
  const items: string[] = (spec.dataFrom ?? []).flatMap(({ extract }: any) => (extract ? [extract.key as string] : []));
  const absent = (key: string) => `key not found in 1Password Vaults: ${key} in: map[${vault}:1]`;
  for (const [at, item] of items.entries()) {
    if (!has(vault, item)) return `error processing spec.dataFrom[${at}].extract, err: ${absent(item)}`;
  }
  for (const [at, { remoteRef }] of (spec.data ?? []).entries()) {
    if (!has(vault, remoteRef.key as string, remoteRef.property as string | undefined))
      return `error processing spec.data[${at}] (key: ${remoteRef.key}), err: ${absent(remoteRef.key as string)}`;
  }
  const given = new Set((spec.data ?? []).map(({ secretKey }: any) => secretKey as string));
  for (const [name, template] of Object.entries((spec.target?.template?.data ?? {}) as Record<string, string>)) {
    const fields = [...template.matchAll(/\{\{.*?\}\}/gs)].flatMap(([part]) =>
      [...part.matchAll(/\.([A-Za-z]\w+)/g)].map(([, field]) => field!),
    );
    const missing = fields.find((field) => !given.has(field) && !items.some((item) => has(vault, item, field)));
    if (missing !== undefined)
      return `could not apply template: error applying template: could not execute template: unable to execute template at key ${name}: template: ${name}:1:3: executing "${name}" at <.${missing}>: map has no entry for key "${missing}"`;
  }
  return undefined;
}
