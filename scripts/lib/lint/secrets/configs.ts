// Secrets that no shape gives away, found by what a document is: a kubeconfig's token or password, the secret paths of a Talos machine config.
import { isSecretName, type Keys, secrecyAt } from "../../talos/secret-paths.ts";
import { isPlaceholder } from "./placeholder.ts";

/** A line each for what anybody can read. */
export function readableSecrets(document: Record<string, unknown>): string[] {
  if (document.kind === "Config" && Array.isArray(document.users))
    return leavesIn(document.users, ["users"]).filter(isReadable).map(describe);
  if (!isTalos(document)) return [];
  return leavesIn(document, [])
    .filter(({ keys }) => secrecyAt(document, keys) === "secret")
    .filter(isReadable)
    .map(describe);
}

/** A machine config (v1alpha1), or one of the documents beside it. */
const isTalos = ({ version, machine, cluster, apiVersion, kind }: Record<string, unknown>) =>
  version === "v1alpha1" || isMap(machine) || (isMap(cluster) && kind === undefined) || (apiVersion === "v1alpha1" && kind !== undefined);

interface Leaf {
  keys: Keys;
  value: unknown;
}

function leavesIn(value: unknown, keys: Keys): Leaf[] {
  if (Array.isArray(value)) return value.flatMap((item) => leavesIn(item, [...keys, "[]"]));
  if (isMap(value)) return Object.entries(value).flatMap(([key, inner]) => leavesIn(inner, [...keys, key]));
  return [{ keys, value }];
}

/** Certificates and user names stand beside secrets and are none; what is resolved later is none either. */
function isReadable({ keys, value }: Leaf): boolean {
  const name = keys.findLast((key) => key !== "[]") ?? "";
  if (typeof value !== "string" || !isSecretName(name) || /(?:crt|cert|certificate)(?:-data)?$/i.test(name)) return false;
  return !isPlaceholder(value) && !/op:\/\/|\$\{|\{\{/.test(value);
}

const describe = ({ keys }: Leaf) => `${keys.join(".").replaceAll(".[]", "[]")} is readable by everybody who reads the repository`;

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === "object" && !Array.isArray(value);
