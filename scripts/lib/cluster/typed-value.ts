// Reads names that other programs define: clusters, datasets, vaults, branches, repositories, labels.
import type { Reading } from "./readings.ts";
import { show } from "./show.ts";

const wrong = (what: string, hint: string) => ({ wrong: `${what} (${hint})` });

/** A reader from a pattern and its message. */
const matching =
  (pattern: RegExp, what: string, hint: string) =>
  (typed: string): Reading<string> =>
    pattern.test(typed) ? { value: typed } : wrong(`${show(typed)} is ${what}`, hint);

/** Also the name of the context in the kubeconfig and the talosconfig. */
export const readClusterName = matching(
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  "not a valid cluster name",
  "lower-case letters, digits and dashes, at most 63, for example home-ops-cluster",
);

/** As the hypervisor lists it. */
export const readInterface = matching(
  /^[A-Za-z][\w.-]{0,14}$/,
  "not a valid name of a network interface",
  "as TrueNAS lists it under Network, for example br0",
);

/** vSphere allows nearly everything but a slash in a name. */
export const readInventoryName = matching(
  /^(?! )[^/\\%\n]{1,80}(?<! )$/,
  "not a valid vSphere name",
  "as the vSphere client shows it, without / \\ or %",
);

/** A part of op://vault/item/field. */
export const readVaultName = matching(
  /^[\w.-](?:[\w. -]*[\w.-])?$/,
  "not a name that op://vault/item/field can contain",
  "letters, digits, spaces, - _ and .; rename it in 1Password",
);

export function readDataset(typed: string): Reading<string> {
  if (typed.startsWith("/mnt/"))
    return wrong(`${show(typed)} is a path`, `the dataset is ${typed.slice("/mnt/".length).replace(/\/+$/, "")}`);
  return matching(
    /^[A-Za-z0-9][\w.:-]*(?:\/[A-Za-z0-9][\w.:-]*)*$/,
    "not a dataset name",
    "pool and names with slashes between, for example flashstor/VM",
  )(typed);
}

export const readPool = matching(/^[A-Za-z][\w.:-]*$/, "not a valid pool name", "as TrueNAS lists it under Storage, for example flashstor");

export const readPath = matching(/^\/(?:[^/\0\n]+\/?)*$/, "not an absolute path", "for example /mnt/flashstor/Media");

export const readExportName = matching(/^[A-Za-z][\w-]*$/, "not a valid export name", "letters, digits, - and _, for example media");

/** Flux accepts http, https and ssh URLs, but not `git@host:path`. */
export function readGitUrl(typed: string): Reading<string> {
  const [, user, host, path] = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/.exec(typed) ?? [];
  if (host && path)
    return wrong(
      `${show(typed)} is the short form, which Flux does not accept`,
      `write ssh://${user ?? "git"}@${host}/${path.replace(/^\//, "")}`,
    );
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  if (!url || !["http:", "https:", "ssh:"].includes(url.protocol) || url.pathname.length < 2)
    return wrong(`${show(typed)} is not a Git URL`, "for example https://github.com/you/home-ops");
  if (url.password || (url.username && url.protocol !== "ssh:"))
    return { wrong: "it carries a user or a password (this file is public; Flux takes a token from a Secret)" };
  return { value: typed };
}

/** The rules of `git check-ref-format --branch`. */
export function readBranch(typed: string): Reading<string> {
  const bad = typed === "" || /[\s~^:?*[\\\u007f]|\.\.|@\{|\/\/|^[-/]|[/.]$|(?:^|\/)\.|\.lock(?:\/|$)/.test(typed) || typed === "@";
  return bad ? wrong(`${show(typed)} is not a branch name`, "for example main") : { value: typed };
}

export function readWebUrl(typed: string): Reading<string> {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "") return { value: typed };
  return wrong(`${show(typed)} is not a URL`, "for example http://192.168.120.5:3000");
}

/** A Kubernetes label key: an optional DNS name and a slash, then a name of at most 63 characters. */
export function readLabelKey(typed: string): Reading<string> {
  const [name = "", prefix, ...more] = typed.split("/").toReversed();
  const goodName = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(name);
  const goodPrefix =
    prefix === undefined ||
    (prefix.length <= 253 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(prefix));
  return goodName && goodPrefix && more.length === 0
    ? { value: typed }
    : wrong(
        `${show(typed)} is not a label key`,
        "letters, digits, - _ and ., at most 63, with a domain and a slash before it if need be: topology.kubernetes.io/zone",
      );
}

export const readLabelValue = matching(
  /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/,
  "not a label value",
  "letters, digits, - _ and ., at most 63, with a letter or digit at both ends",
);

/** Contact address of the ACME account. */
export const readEmail = matching(/^[^\s@"<>]+@[^\s@"<>]+\.[^\s@"<>]+$/, "not an e-mail address", "for example you@example.com");

/** base64url, as Google issues it. */
export const readKeyId = matching(
  /^[\w-]{8,128}$/,
  "not an EAB key ID",
  "the keyId that `gcloud publicca external-account-keys create` prints",
);

export const readUuid = matching(
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  "not a tunnel ID",
  "the ID that `cloudflared tunnel list` prints: 6ff42ae2-765d-4adf-8112-31c55c1551ef",
);

export const readRepositoryId = matching(
  /^[0-9a-f]{64}$/,
  "not the identity of a Kopia repository",
  "64 hexadecimal digits, as `task volsync:identity` writes them",
);

export const readGithubOwner = matching(
  /^[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}$/,
  "not a GitHub user or organization",
  "letters, digits and single dashes",
);
