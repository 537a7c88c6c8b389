// What a registry answers: bodies with their headers, and refusals in the words of the distribution specification.
import type { ServerResponse } from "node:http";

/** Codes of the distribution specification, with their status. */
const CODES = {
  BLOB_UNKNOWN: [404, "blob unknown to registry"],
  MANIFEST_UNKNOWN: [404, "manifest unknown"],
  NAME_UNKNOWN: [404, "repository name not known to registry"],
  TOOMANYREQUESTS: [429, "too many requests"],
  UNAUTHORIZED: [401, "authentication required"],
  UNSUPPORTED: [405, "the operation is unsupported"],
} as const;

/** Answers with an error of the specification; `detail` says what it was about. */
export function refuse(response: ServerResponse, code: keyof typeof CODES, detail?: unknown, headers: Record<string, string> = {}): void {
  const [status, message] = CODES[code];
  const body = { errors: [{ code, message, ...(detail !== undefined && { detail }) }] };
  json(response, status, body, headers);
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...version, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

/** What a balancer answers when nothing behind it does. */
export function unavailable(response: ServerResponse): void {
  response.writeHead(503, { "content-type": "text/plain", "content-length": 0 }).end();
}

/** Bytes that are named by their digest. */
export function content(response: ServerResponse, type: string, digest: string, bytes: Buffer): Buffer | undefined {
  response.writeHead(200, { "content-type": type, "content-length": bytes.length, "docker-content-digest": digest, ...version });
  if (response.req.method !== "HEAD") return bytes;
  response.end();
  return undefined;
}

const version = { "docker-distribution-api-version": "registry/2.0" };
