// The address of the NAS. Only TLS: TrueNAS revokes an API key that is used over plain HTTP.
import { Failure } from "../run/errors.ts";

/** `host:port` for URLs, from a host, `host:port`, or a URL. */
export function readAddress(text: string, field: string): string {
  const typed = text.trim();
  if (/^(http|ws):/i.test(typed)) {
    throw new Failure({
      attempted: "connect to TrueNAS",
      said: `${field} selects a connection without TLS: TrueNAS revokes an API key that is sent without TLS`,
      next: `put host or host:port into ${field}`,
    });
  }
  const scheme = /^(https|wss):\/\//i.test(typed) ? "" : "https://";
  try {
    const { hostname, port, pathname } = new URL(`${scheme}${typed}`.replace(/^wss:/i, "https:"));
    if (hostname && pathname === "/") return `${hostname}:${port || 443}`;
  } catch {
    // reported below
  }
  throw new Failure({ attempted: "connect to TrueNAS", said: `${field} holds no host`, next: `put host or host:port into ${field}` });
}
