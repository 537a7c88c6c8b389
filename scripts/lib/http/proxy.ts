// Chooses the proxy of a request as Go's tools and curl do: HTTPS_PROXY, and NO_PROXY with names, domains and networks.
import { BlockList, isIP } from "node:net";

type Env = Record<string, string | undefined>;

/** URL of the proxy, or undefined for a direct connection. Loopback is always direct. */
export function proxyFor(url: URL, env: Env): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || LOOPBACK.check(host, family(host))) return undefined;
  const exceptions = read(env, "no_proxy")
    .split(/[,\s]+/)
    .filter(Boolean);
  if (exceptions.some((entry) => covers(entry.toLowerCase(), host, portOf(url)))) return undefined;
  return (url.protocol === "https:" ? read(env, "https_proxy") : read(env, "http_proxy")) || undefined;
}

const read = (env: Env, name: string) => env[name] ?? env[name.toUpperCase()] ?? "";

const portOf = ({ port, protocol }: URL) => port || (protocol === "https:" ? "443" : "80");

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const family = (host: string) => (isIP(host) === 6 ? "ipv6" : "ipv4");

/** One entry of NO_PROXY: `*`, an address, a network, or a name and its subdomains; all but a network may have a port. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [network = "", bits] = entry.split("/");
  if (bits !== undefined) return isIP(network) !== 0 && isIP(network) === isIP(host) && within(network, Number(bits), host);
  const [, name = entry, only] = /^(.*?):(\d+)$/.exec(entry) ?? [];
  if (only !== undefined && isIP(entry) === 0 && only !== port) return false;
  const bare = (isIP(entry) ? entry : name).replace(/^\*?\./, "");
  return host === bare || host.endsWith(`.${bare}`);
}

function within(network: string, bits: number, host: string): boolean {
  const list = new BlockList();
  list.addSubnet(network, bits, family(network));
  return list.check(host, family(host));
}
