// The Image Factory's HTTP API, as factory.talos.dev answers it.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { buildIso, EXTENSIONS, readPath, refusalOf, takeSchematic, VERSIONS } from "../../world/talos/factory.ts";
import type { World } from "../../world/world.ts";
import type { Medium } from "../../world/talos/machine-state.ts";

/** Answers one request to a host. */
export type Host = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

const BUILD_MS = 150;
const SLOW_MS = 3_000;
/** Where the factory redirects downloads to. */
export const STORAGE = "storage.factory.talos.dev";

/** The factory, and the storage that it redirects downloads to. What was built is remembered only while the home runs: asking for it changes nothing. */
export function openFactory(world: World): Record<string, Host> {
  const built = new Map<string, Promise<Buffer>>();
  const build = (medium: Medium) => {
    const key = JSON.stringify(medium);
    let image = built.get(key);
    if (!image) built.set(key, (image = pause(world.strikes("factory-slow") ? SLOW_MS : BUILD_MS).then(() => buildIso(medium))));
    return image;
  };
  return {
    "factory.talos.dev": async (request, response) => {
      const { method = "GET", url = "/" } = request;
      const [, first, ...rest] = url.split("?")[0]!.split("/");
      if (first === "schematics" && method === "POST") return postSchematic(world, request, response);
      if (first === "schematics" && rest.length === 1) return getSchematic(world, rest[0]!, response);
      if (first === "versions") return json(response, 200, VERSIONS);
      if (first === "version" && rest.slice(1).join("/") === "extensions/official") return extensions(rest[0]!, response);
      if (first === "image" && rest.length === 3) return image(world, request, response, rest as [string, string, string], build);
      if (first === "v2" && rest.length === 4 && rest[2] === "manifests")
        return manifest(world, response, rest as [string, string, string, string]);
      return text(response, first === "" || first === "healthz" || (first === "v2" && rest.join("") === "") ? 200 : 404, "");
    },
    [STORAGE]: async (request, response) => {
      const [, id = "", version = "", file = ""] = (request.url ?? "").split("?")[0]!.split("/");
      const read = readPath(file);
      if ("status" in read) return text(response, 404, "NoSuchKey");
      return download(world, response, file, await build({ talos: version, schematic: id, platform: read.platform }));
    },
  };
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const bytes = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) });
  response.end(bytes);
}

async function postSchematic(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const taken = takeSchematic(world, body);
  if ("error" in taken) text(response, 400, `${taken.error}\n`);
  else json(response, 201, { id: taken.id, schematic: taken.canonical });
}

function getSchematic(world: World, id: string, response: ServerResponse): void {
  const known = world.state.factory.schematics[id];
  if (known) text(response, 200, known.canonical);
  else text(response, 404, "schematic not found\n");
}

function extensions(version: string, response: ServerResponse): void {
  if (!VERSIONS.includes(version)) return text(response, 404, `version ${version} is not available\n`);
  const digest = (name: string) =>
    `sha256:${createHash("sha256")
      .update(name + version)
      .digest("hex")}`;
  return json(
    response,
    200,
    EXTENSIONS.map((name) => ({
      name,
      ref: `ghcr.io/${name}:${version.slice(1)}`,
      digest: digest(name),
      author: "Sidero Labs",
      description: "",
    })),
  );
}

async function image(
  world: World,
  { method }: IncomingMessage,
  response: ServerResponse,
  [id, version, file]: [string, string, string],
  build: (medium: Medium) => Promise<Buffer>,
): Promise<void> {
  const refused = refusalOf(world.state, id, version);
  if (refused) return text(response, refused.status, `${refused.text}\n`);
  const read = readPath(file);
  if ("status" in read) return text(response, read.status, `${read.text}\n`);
  const talos = version.startsWith("v") ? version : `v${version}`;
  const bytes = await build({ talos, schematic: id, platform: read.platform });
  if (method === "HEAD") {
    response.writeHead(200, headersOf(file, bytes));
    response.end();
    return;
  }
  response.writeHead(302, { location: `https://${STORAGE}/${id}/${talos}/${file}?expires=3600`, "content-length": 0 });
  response.end();
}

const headersOf = (file: string, bytes: Buffer) => ({
  "content-type": "application/x-iso9660-image",
  "content-length": bytes.length,
  "content-disposition": `attachment; filename="${file}"`,
});

/** The fault `factory-cuts-download` ends the connection half way. */
function download(world: World, response: ServerResponse, file: string, bytes: Buffer): void {
  response.writeHead(200, headersOf(file, bytes));
  if (world.strikes("factory-cuts-download")) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  else response.end(bytes);
}

/** `/v2/metal-installer/<schematic>/manifests/<version>`: built when it is asked for, then to be had from the registry behind. */
function manifest(world: World, response: ServerResponse, [installer, id, , version]: [string, string, string, string]): void {
  const platform = /^(?:(\w+)-)?installer(?:-secureboot)?$/.exec(installer);
  const refused = platform ? refusalOf(world.state, id, version) : { status: 404, text: "unknown image" };
  if (refused) return text(response, refused.status, `${refused.text}\n`);
  const digest = `sha256:${createHash("sha256").update(`${installer}/${id}:${version}`).digest("hex")}`;
  response.writeHead(200, {
    "content-type": "application/vnd.oci.image.index.v1+json",
    "docker-content-digest": digest,
    "content-length": 0,
  });
  response.end();
}
