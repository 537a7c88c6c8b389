// Follows the redirects of a read, because fetch silently follows one from https to http.
import type { Response } from "undici";
import { Failure } from "../run/errors.ts";

const MOST = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** The response after all redirects. Throws when one leads from https to another scheme. */
export async function followRedirects(url: string, get: (url: string) => Promise<Response>): Promise<Response> {
  let at = new URL(url);
  for (let hops = 0; hops <= MOST; hops += 1) {
    const response = await get(at.href);
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel();
    at = nextAddress(at, location);
  }
  throw refused(url, `more than ${MOST} redirects`);
}

/** Target of a redirect. */
export function nextAddress(from: URL, location: string): URL {
  const to = new URL(location, from);
  if (from.protocol === "https:" && to.protocol !== "https:")
    throw refused(from.href, `it redirects to ${to.protocol}//${to.host}, which is not encrypted`);
  if (!/^https?:$/.test(to.protocol)) throw refused(from.href, `it redirects to ${to.protocol}, which is no web address`);
  return to;
}

const refused = (url: string, said: string) =>
  new Failure({ attempted: `follow the redirects of ${url}`, said, next: "check the address and the proxy" });
