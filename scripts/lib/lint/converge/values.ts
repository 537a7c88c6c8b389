// What a release's Pods wait for, as its values say it: the shapes of the Pod API mean the same in every chart, those of app-template are its own.
import type { Located } from "../../tree/types.ts";
import { known } from "./guessed.ts";
import { configMapKey, readyKey, secretKey, provisionedKey } from "./keys.ts";
import { need, type Need } from "./step.ts";
import type { Release } from "./release-model.ts";

type Node = Record<string, any>;

/** Secrets, ConfigMaps, volume claims and StorageClasses that the values name. */
export function valueNeeds(release: Release, { source, guessed }: Pick<Located, "source" | "guessed">): Need[] {
  const found = new Map<string, Need>();
  const { namespace } = release;
  const own = ownNames(release);
  const add = (key: string, why: string) => {
    if (!own.has(key) && !found.has(key)) found.set(key, need(key, "wait", why, source));
  };
  const plain = (name: unknown) => nameIn(name, release);
  walk(release.values, (key, value) => {
    const text = plain(value);
    const node: Node = value !== null && typeof value === "object" ? (value as Node) : {};
    const name = plain(node.name);
    if (node.optional === true) return;
    if ((key === "secretRef" || key === "secretKeyRef") && name)
      add(secretKey(namespace, name), "has Pods that take their environment from %");
    else if ((key === "configMapRef" || key === "configMapKeyRef") && name)
      add(configMapKey(namespace, name), "has Pods that take their environment from %");
    else if (key === "secret" && plain(node.secretName)) add(secretKey(namespace, plain(node.secretName)!), "has Pods that mount %");
    else if (key === "existingClaim" && text) add(claimKey(namespace, text), "has Pods that mount %");
    else if ((key === "storageClass" || key === "storageClassName") && text && text !== "-") add(provisionedKey(text), "has volumes of %");
  });
  for (const [name, volume] of Object.entries((release.values.persistence ?? {}) as Record<string, Node>)) persisted(name, volume);
  return known([...found.values()], guessed);

  /** app-template's `persistence`: a volume of some type, by name. */
  function persisted(key: string, volume: Node | null) {
    if (!appTemplate(release) || volume === null || typeof volume !== "object" || volume.enabled === false) return;
    const name = plain(volume.name);
    if (volume.type === "secret" && name) add(secretKey(namespace, name), `has Pods that mount % (persistence.${key})`);
    if (volume.type === "configMap" && name) add(configMapKey(namespace, name), `has Pods that mount % (persistence.${key})`);
  }
}

/** What app-template makes of `configMaps` and `secrets` itself. */
function ownNames(release: Release): Set<string> {
  const { namespace, releaseName, values } = release;
  const names = (map: unknown) =>
    Object.entries((appTemplate(release) && (map as Node)) || {}).flatMap(([key, one]) => [
      releaseName,
      `${releaseName}-${(one as Node)?.nameOverride ?? (one as Node)?.suffix ?? key}`,
      nameIn((one as Node)?.forceRename, release) ?? key,
    ]);
  return new Set([
    ...names(values.configMaps).map((name) => configMapKey(namespace, name)),
    ...names(values.secrets).map((name) => secretKey(namespace, name)),
  ]);
}

const appTemplate = ({ facts }: Release) => facts?.workloads === "values";
export const claimKey = (namespace: string, name: string) => readyKey({ group: "", kind: "PersistentVolumeClaim", namespace, name });

/** A name after the few templates that values carry; undefined where it cannot be known. */
function nameIn(value: unknown, { releaseName, namespace }: Release): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const name = value
    .replaceAll(/\{\{-?\s*\.Release\.Name\s*-?\}\}/g, releaseName)
    .replaceAll(/\{\{-?\s*\.Release\.Namespace\s*-?\}\}/g, namespace);
  return /[{}$]/.test(name) ? undefined : name;
}

function walk(value: unknown, visit: (key: string, value: unknown) => void): void {
  if (Array.isArray(value)) for (const one of value) walk(one, visit);
  else if (value !== null && typeof value === "object")
    for (const [key, inner] of Object.entries(value)) {
      visit(key, inner);
      if ((inner as Node | null)?.enabled !== false) walk(inner, visit); // what is switched off mounts nothing
    }
}
