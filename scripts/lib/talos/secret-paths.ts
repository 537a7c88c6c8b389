// The secrets in a Talos machine config, by document kind and path, for every version with a known schema (1.11 to 1.14).
/** `secret`: the value is a secret. `free`: the value may contain anything (a file, an environment, a manifest). */
export type Secrecy = "secret" | "free";

/** The keys from the document's root to a value; `[]` is any item of a list. */
export type Keys = readonly string[];

/** Paths below a document of this kind; `*` is any one key. A path covers everything below it. Keys that isSecretName recognises need no line here. */
const PATHS: Record<string, Partial<Record<Secrecy, string[]>>> = {
  v1alpha1: {
    secret: [
      "machine.ca",
      "machine.registries.config.*.auth",
      "machine.registries.config.*.tls.clientIdentity",
      "cluster.ca",
      "cluster.aggregatorCA",
      "cluster.etcd.ca",
      "cluster.serviceAccount",
      "cluster.extraManifestHeaders",
    ],
    free: ["machine.pods", "machine.kubelet.credentialProviderConfig"],
  },
  ContainerConfig: { free: ["args", "entrypoint"] },
  KubeAggregatorCAConfig: { secret: ["issuingCA"] },
  KubeAPIServerCAConfig: { secret: ["issuingCA"] },
  KubeAuthenticationConfig: { free: ["configuration"] },
  KubeCredentialProviderConfig: { free: ["configuration"] },
  KubeEtcdEncryptionConfig: { secret: ["config"] },
  KubeExternalManifestConfig: { secret: ["headers"] },
  KubeServiceAccountConfig: { secret: ["issuer.privateKey"] },
  KubeStaticPodConfig: { free: ["pod"] },
  RegistryAuthConfig: { secret: ["password", "auth", "identityToken"] },
  RegistryTLSConfig: { secret: ["clientIdentity"] },
};

/** Keys with free content in every document, including kinds of later versions: environments, files, manifests. */
const FREE_KEYS = new Set(["env", "environment", "variables", "headers", "content", "contents", "manifest"]);
/** Variables that hold an address; its password is hidden by maskSecrets. */
const PROXY = /^(?:https?|ftp|all|no)_proxy$/i;

/** Words in a key that mark its value as a secret: `apiToken`, `oidc-client-secret`, `static.passphrase`, `secretboxEncryptionSecret`. */
const SECRET_WORDS = /^(?:secrets?|passwords?|passwd|passphrases?|passcode|tokens?|credentials?|psk|auth|crt|bearer|cookie|jwt)$/;
/** `key` marks a secret on its own or after one of these words; `publicKey`, `keySize`, `topologyKey` and `adUserPortKey` do not. */
const SECRET_KEYS = /^(?:private|preshared|shared|api|access|secret|encryption|signing|client|auth|account|master|hmac|ssh|tls)$/;
/** The value is a location, not a secret: `service-account-key-file`, `tokenPath`, `secretName`, `token-ttl`. */
const NAMES_A_PLACE =
  /^(?:file|files|path|dir|directory|name|namespace|url|issuer|ref|size|ttl|expiration|lifetime|id|type|mode|algorithm|slot|slots|audiences?|approver|review|cleaner|rotation)$/;

/** The words of a key: `secretboxEncryptionSecret`, `client-key-data`, `AWS_SECRET_ACCESS_KEY`. */
const wordsOf = (key: string) =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);

/** Whether the name of a key marks a secret, in a document, a list of arguments or the query of a URL. */
export function isSecretName(key: string): boolean {
  const words = wordsOf(key).filter((word) => word !== "data");
  const last = words.at(-1) ?? "";
  if (NAMES_A_PLACE.test(last)) return false;
  if (/^(?:apikey|privatekey|presharedkey|accesskey|secretkey|jointoken|authkey|accesstoken)$/.test(last)) return true;
  if (last === "key" || last === "keys") return words.length === 1 ? last === "key" : SECRET_KEYS.test(words.slice(0, -1).at(-1)!);
  return words.some((word) => SECRET_WORDS.test(word)) && !(words[0] === "enable" || words[0] === "allow");
}

/** Whether the value at these keys is a secret or free; undefined if it may be shown. */
export function secrecyAt(document: { kind?: unknown }, keys: Keys): Secrecy | undefined {
  const { secret = [], free = [] } = PATHS[document.kind === undefined ? "v1alpha1" : String(document.kind)] ?? {};
  if (secret.some((path) => covers(path.split("."), keys)) || keys.some((key) => isSecretName(key))) return "secret";
  if (PROXY.test(keys.at(-1) ?? "")) return undefined;
  return free.some((path) => covers(path.split("."), keys)) || keys.some((key) => FREE_KEYS.has(key)) ? "free" : undefined;
}

/** Whether a path leads to these keys or to something above them. */
function covers([first, ...rest]: string[], keys: Keys): boolean {
  if (first === undefined) return true;
  if (keys.length === 0) return false;
  return (first === "*" || first === keys[0]) && covers(rest, keys.slice(1));
}
