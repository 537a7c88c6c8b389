// Read-only OCI registries (distribution API, v2) with the charts that the operator's repository asks for, and no other version.
import { join } from "node:path";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Artifact, artifactOf, MANIFEST_TYPE } from "../../world/charts/artifact.ts";
import { chartsAsked } from "../../world/charts/charts-asked.ts";
import type { World } from "../../world/world.ts";
import type { Host } from "../factory/factory.ts";
import { addressOf, REGISTRIES } from "./registries.ts";
import { content, json, refuse, unavailable } from "./answers.ts";
import { challengeOf, handOutToken, mayPull } from "./tokens.ts";

/** Every public registry, and the hosts that hand out their tokens. */
export function openRegistries(world: World): Record<string, Host> {
  const hosts: Record<string, Host> = {};
  for (const [host, { realm }] of Object.entries(REGISTRIES)) {
    hosts[host] = (request, response) => answer(world, host, request, response);
    if (realm !== undefined) hosts[new URL(realm).host] ??= (request, response) => handOutToken(request, response);
  }
  return hosts;
}

const SLOW_MS = 3_000;
const SLOW_PIECES = 10;
/** What a registry that was asked too often tells its clients to wait. */
const RETRY_AFTER_SECONDS = 1;

async function answer(world: World, host: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", `https://${host}`);
  const { realm } = REGISTRIES[host]!;
  if (realm !== undefined && realm === `https://${host}${pathname}`) return handOutToken(request, response);
  if (!/^(GET|HEAD)$/.test(request.method ?? "")) return refuse(response, "UNSUPPORTED");
  const [, repository, what, reference = ""] = /^\/v2\/(?:(.+?)\/(manifests|blobs|tags)\/([^/]+))?$/.exec(pathname) ?? [];
  if (repository === undefined && pathname !== "/v2/") return refuse(response, "NAME_UNKNOWN", { path: pathname });
  if (realm !== undefined && !mayPull(request, host, repository))
    return refuse(response, "UNAUTHORIZED", undefined, { "www-authenticate": challengeOf(host, repository) });
  if (repository === undefined) return json(response, 200, {});
  const address = addressOf(host, repository);
  const versions = chartsAsked(join(world.folder, "repo")).get(address);
  if (versions === undefined) return refuse(response, "NAME_UNKNOWN", { name: repository });
  if (what === "tags") return tags(response, repository, [...versions], searchParams);
  const artifacts = new Map([...versions].map((version) => [version, artifactOf(`oci://${address}`, version)]));
  if (what === "manifests") return manifest(world, response, artifacts, reference);
  return blob(world, response, artifacts, reference);
}

/** By tag or by digest. Faults strike here: what a registry is short of, it says before it hands anything out. */
function manifest(world: World, response: ServerResponse, artifacts: Map<string, Artifact>, reference: string): void {
  if (world.strikes("registry-rate-limited"))
    return refuse(response, "TOOMANYREQUESTS", undefined, { "retry-after": String(RETRY_AFTER_SECONDS) });
  if (world.strikes("registry-flaps")) return unavailable(response);
  const found = artifacts.get(reference) ?? [...artifacts.values()].find(({ digest }) => digest === reference);
  if (found === undefined)
    return refuse(response, "MANIFEST_UNKNOWN", reference.startsWith("sha256:") ? { digest: reference } : { tag: reference });
  const bytes = content(response, MANIFEST_TYPE, found.digest, found.manifest);
  if (bytes) response.end(bytes);
}

async function blob(world: World, response: ServerResponse, artifacts: Map<string, Artifact>, digest: string): Promise<void> {
  const found = [...artifacts.values()].map(({ blobs }) => blobs.get(digest)).find((bytes) => bytes !== undefined);
  if (found === undefined) return refuse(response, "BLOB_UNKNOWN", { digest });
  const bytes = content(response, "application/octet-stream", digest, found);
  if (bytes === undefined) return;
  if (world.strikes("registry-broken")) return void response.end(Buffer.alloc(bytes.length)); // as long as it should be, and nothing of it right
  if (!world.strikes("registry-slow")) return void response.end(bytes);
  const piece = Math.ceil(bytes.length / SLOW_PIECES);
  for (let at = 0; at < bytes.length && !response.destroyed; at += piece) {
    response.write(bytes.subarray(at, at + piece));
    await pause(SLOW_MS / SLOW_PIECES);
  }
  response.end();
}

/** `?n=` and `?last=` page through the names, which are in order. */
function tags(response: ServerResponse, name: string, versions: string[], query: URLSearchParams): void {
  const last = query.get("last");
  const rest = versions.sort().filter((tag) => last === null || tag > last);
  const count = Number(query.get("n") ?? rest.length);
  const page = rest.slice(0, count);
  const next = page.length < rest.length && `</v2/${name}/tags/list?n=${count}&last=${page.at(-1)}>; rel="next"`;
  json(response, 200, { name, tags: page }, next ? { link: next } : {});
}
