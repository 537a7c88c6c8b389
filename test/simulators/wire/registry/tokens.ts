// Tokens of the registries: whoever asks gets one, good for a while and for what was asked.
import type { IncomingMessage, ServerResponse } from "node:http";
import { REGISTRIES } from "./registries.ts";
import { json } from "./answers.ts";

const SECONDS = 300;

interface Grant {
  service: string;
  scopes: string[];
  until: number;
}

/** `Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:coredns/charts/coredns:pull"` */
export function challengeOf(host: string, repository: string | undefined): string {
  const { realm, service } = REGISTRIES[host]!;
  return `Bearer realm="${realm}",service="${service}"${repository === undefined ? "" : `,scope="${scopeOf(repository)}"`}`;
}

const scopeOf = (repository: string) => `repository:${repository}:pull`;

/** Nothing is signed: the token only says what was asked for. */
export function handOutToken(request: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(request.url ?? "/", "https://token");
  const grant: Grant = {
    service: searchParams.get("service") ?? "",
    scopes: searchParams.getAll("scope").flatMap((scope) => scope.split(" ")),
    until: Date.now() + SECONDS * 1000,
  };
  const token = Buffer.from(JSON.stringify(grant)).toString("base64url");
  json(response, 200, { token, access_token: token, expires_in: SECONDS, issued_at: new Date().toISOString() });
}

/** Whether a request's token is good at this registry, and for this repository when one is named. */
export function mayPull(request: IncomingMessage, host: string, repository: string | undefined): boolean {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const grant = token === undefined ? undefined : read(token);
  if (grant === undefined || grant.service !== REGISTRIES[host]!.service || grant.until < Date.now()) return false;
  return repository === undefined || grant.scopes.some((scope) => scope.replace(/:[^:]*$/, "") === `repository:${repository}`);
}

function read(token: string): Grant | undefined {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString()) as Grant;
  } catch {
    return undefined; // somebody else's token
  }
}
