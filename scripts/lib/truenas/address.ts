// Where the NAS is. Only TLS: TrueNAS revokes an API key the moment it is used over plain http.
import { Failure } from "../run/errors.ts";

/** `host:port` for URLs, from a host, `host:port`, or a URL. */
export function readAddress(text: string, field: string): string {
  const typed = text.trim();
  if (/^(http|ws):/i.test(typed)) {
    throw new Failure({
      attempted: "connect to TrueNAS",
      said: `${field} asks for a connection without TLS: TrueNAS revokes an API key that comes over one`,
      next: `put host or host:port into ${field}`,
    });
  }
  const scheme = /^(https|wss):\/\//i.test(typed) ? "" : "https://";
  try {
    const { hostname, port, pathname } = new URL(`${scheme}${typed}`.replace(/^wss:/i, "https:"));
    if (hostname && pathname === "/") return `${hostname}:${port || 443}`;
  } catch {
    // told below, with what it should be
  }
  throw new Failure({ attempted: "connect to TrueNAS", said: `${field} holds no host`, next: `put host or host:port into ${field}` });
}
