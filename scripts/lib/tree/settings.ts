// The settings: what applications under kubernetes/ may write as ${DOMAIN}, ${TIMEZONE}, … and where each of them comes from.
import { basename } from "node:path/posix";
import { type Cluster, PLATFORM } from "../cluster/cluster.ts";
import type { Versions } from "../cluster/versions.ts";

export interface Setting {
  name: string;
  /** The field of talos/cluster.yaml, or the name in versions.env, for people. */
  says: string;
  /** Undefined: this home has none, and nothing in its tree may ask for it. */
  value: string | undefined;
}

/** Every setting of this home, by name. */
export function settingsOf(cluster: Cluster, versions: Versions): Setting[] {
  const { network, git, nas, acme, unifi } = cluster;
  const rows: [name: string, says: string, value: string | undefined][] = [
    ["ACME_EMAIL", "acme.email", acme.email],
    ["BGP_ASN", "network.bgp.asn", network.bgp && String(network.bgp.asn)],
    ["BGP_ROUTER", "network.bgp.router", network.bgp?.router],
    ["BGP_ROUTER_ASN", "network.bgp.routerAsn", network.bgp && String(network.bgp.routerAsn)],
    ["DATA_DISK", "hypervisor", PLATFORM[cluster.hypervisor].dataDisk],
    ["DOMAIN", "domain", cluster.domain],
    ["EAB_KEY_ID", "acme.eabKeyId", acme.eabKeyId],
    ["GATEWAYS_FROM", "network.gateways.from", network.gateways.from],
    ["GATEWAYS_TO", "network.gateways.to", network.gateways.to],
    ["GATEWAY_EXTERNAL", "network.gateways.external", network.gateways.external],
    ["GATEWAY_INTERNAL", "network.gateways.internal", network.gateways.internal],
    ["GITHUB_OWNER", "git.owner", git.owner],
    ["GITHUB_REPOSITORY", "git.url", basename(git.url, ".git")],
    ["KOPIA_REPOSITORY_ID", "nas.kopiaRepository", nas.kopiaRepository],
    ["KUBERNETES_VERSION", "KUBERNETES_VERSION", versions.KUBERNETES_VERSION],
    ["NAS_HOST", "nas.address", nas.address],
    ["ONEPASSWORD_VAULT", "onepassword.vault", cluster.onepassword.vault],
    ["PODS_CIDR", "network.pods", network.pods],
    ["TALOS_VERSION", "TALOS_VERSION", versions.TALOS_VERSION],
    ["TIMEZONE", "timezone", cluster.timezone],
    ["TUNNEL_ID", "cloudflare.tunnel", cluster.cloudflare.tunnel],
    ["UNIFI_HOST", "unifi.address", unifi?.address],
    ...Object.entries(nas.exports).map(([name, path]): [string, string, string] => [inCapitals("NAS", name), `nas.exports.${name}`, path]),
    ...Object.entries(cluster.onepassword.renamed ?? {}).map(([key, title]): [string, string, string] => [
      itemSetting(key),
      `onepassword.items.${key}`,
      title,
    ]),
  ];
  return rows.map(([name, says, value]) => ({ name, says, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** onepassword.items.certManager → ITEM_CERT_MANAGER. */
export const itemSetting = (key: string) => inCapitals("ITEM", key);

/** nas.exports.time-machine → NAS_TIME_MACHINE. */
const inCapitals = (prefix: string, name: string) =>
  `${prefix}_${name
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toUpperCase()}`;

/** The settings as Flux gets them. */
export const substituteOf = (settings: readonly Setting[]): Record<string, string> =>
  Object.fromEntries(settings.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));

/** Whether a name is one of ours: what a fork adds under another name stays as it is. */
export const isOurs = (name: string, settings: readonly Setting[]) =>
  /^(NAS|ITEM)_/.test(name) || settings.some((one) => one.name === name);
