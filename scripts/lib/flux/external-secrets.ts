// ExternalSecrets that wait for a value that only a person can put into the vault: the store is ready, but the item or field is missing.
import { condition, getAllKnown, isReady, type KubernetesObject } from "../kubernetes/kubernetes.ts";
import type { ClusterAccess } from "../kubernetes/access.ts";

const KINDS = "clustersecretstores.external-secrets.io,externalsecrets.external-secrets.io";

interface Asking extends KubernetesObject {
  spec?: {
    secretStoreRef?: { name?: string };
    dataFrom?: { extract?: { key?: string } }[];
    data?: { remoteRef?: { key?: string } }[];
  };
}

/** A line for each, with the items that it is made of; undefined while the API does not have these kinds. */
export async function waitingForVault(access: ClusterAccess): Promise<string[] | undefined> {
  const found = await getAllKnown(access, KINDS);
  return found && lackingItems(found);
}

/** While a store is not ready, its items are unknown, so its ExternalSecrets are skipped. */
export function lackingItems(objects: readonly KubernetesObject[]): string[] {
  const stores = new Set(objects.filter((one) => one.kind === "ClusterSecretStore" && isReady(one)).map(({ metadata }) => metadata.name));
  return (objects as readonly Asking[])
    .filter((one) => one.kind === "ExternalSecret" && condition(one, "Ready")?.status === "False")
    .filter(({ spec }) => stores.has(spec?.secretStoreRef?.name ?? ""))
    .map((one) => {
      const { dataFrom = [], data = [] } = one.spec ?? {};
      const items = [...dataFrom.map(({ extract }) => extract?.key), ...data.map(({ remoteRef }) => remoteRef?.key)];
      const named = [...new Set(items.filter((item) => item !== undefined))].join(", ");
      return `ExternalSecret ${one.metadata.namespace}/${one.metadata.name} (item ${named}): ${condition(one, "Ready")!.message ?? "not ready"}`;
    });
}
