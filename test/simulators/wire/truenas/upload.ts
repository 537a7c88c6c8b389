// POST /_upload: a job whose input is the body of the request. First the part that says which, then the bytes; the answer comes after the last of them.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Account, NasFile } from "../../world/nas/nas.ts";
import { putFile } from "../../world/nas/files.ts";
import { untaught } from "../../world/nas/refusals.ts";
import { Malformed, type Part, readParts } from "./multipart.ts";
import { Refused } from "./refused.ts";
import { accountOfKey, refuse, type Server, useToken } from "./server.ts";

type Answer = { status: number; text: string };

/** Answers an upload. */
export async function serveUpload(server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await receive(server, request).catch((error: unknown): Answer => {
    if (error instanceof Refused) return { status: error.refusal.errno === 22 ? 412 : 500, text: error.message };
    if (error instanceof Malformed) return { status: 405, text: "No part found on payload" };
    if (request.destroyed || request.errored) return { status: 400, text: "" }; // nobody is there to read it
    throw error;
  });
  if (response.destroyed) return;
  const isJson = answer.status === 200;
  response.writeHead(answer.status, {
    "content-type": isJson ? "application/json" : "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(answer.text),
    ...(!isJson && { connection: "close" }),
  });
  response.end(answer.text);
  request.resume();
}

async function receive(server: Server, request: IncomingMessage): Promise<Answer> {
  const account = whoIs(server, request);
  if ("status" in account) return account;
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(request.headers["content-type"] ?? "")?.[1];
  if (boundary === undefined) return { status: 405, text: "No part found on payload" };
  const parts = readParts(request as AsyncIterable<Buffer>, boundary);
  const first = await parts.next();
  if (first.done) return { status: 405, text: "No part found on payload" };
  if (first.value.name !== "data") return { status: 405, text: '"data" part must be the first on payload' };
  const call = parse(await textOf(first.value));
  if ("status" in call) return call;
  const second = await parts.next();
  if (second.done || second.value.name !== "file") return { status: 405, text: '"file" not found as second part on payload' };
  const read = server.current.read("filesystem.put", call.params);
  if ("error" in read) return { status: 412, text: read.error.reason };
  const job = startPut(server, account, read.values as [string, PutOptions], second.value);
  await job.taken;
  for await (const part of parts) if (part.name !== "file") return { status: 405, text: `Unknown payload part ${part.name}` };
  return { status: 200, text: JSON.stringify({ job_id: job.id }) };
}

function whoIs(server: Server, { headers, url = "" }: IncomingMessage): Account | Answer {
  const [kind = "", value = ""] = (headers.authorization ?? "").split(" ");
  const token = kind === "Token" ? value : new URL(url, "https://nas").searchParams.get("auth_token");
  if (token !== null && token !== "") {
    const account = useToken(server, token);
    if (!account) return { status: 403, text: "Invalid token" };
    return account.roles.includes("FULL_ADMIN") ? account : { status: 403, text: "" };
  }
  if (kind === "Bearer") return accountOfKey(server, value) ?? { status: 401, text: "Invalid API key" };
  return { status: 401, text: kind === "Basic" ? "Bad username or password" : "" };
}

function parse(text: string): { params: unknown[] } | Answer {
  let call: { method?: unknown; params?: unknown };
  try {
    call = JSON.parse(text) as typeof call;
  } catch (error) {
    return { status: 400, text: `Invalid JSON in data: ${(error as Error).message}` };
  }
  if (typeof call !== "object" || call === null || typeof call.method !== "string") return { status: 422, text: "Method not specified" };
  if (call.method !== "filesystem.put") return { status: 422, text: `Method ${call.method} not found` };
  return { params: Array.isArray(call.params) ? call.params : [] };
}

async function textOf({ bytes }: Part): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

interface PutOptions {
  append: boolean;
  mode: number | null;
}

/** Starts the job; `taken` resolves when it has read the file, whether it could keep it or not. */
function startPut(
  server: Server,
  { username }: Account,
  [path, options]: [string, PutOptions],
  part: Part,
): { id: number; taken: Promise<void> } {
  let done = () => {};
  const taken = new Promise<void>((resolve) => void (done = resolve));
  const id = server.jobs.start({
    method: "filesystem.put",
    arguments: [path, options],
    account: username,
    run: () => put(server, path, options, part).finally(done),
  });
  return { id, taken };
}

const HEAD = 512;

/** What is there is gone with the first byte; what breaks off leaves the half of it behind, which stat cannot tell from a whole file. */
async function put(server: Server, path: string, { append, mode }: PutOptions, { bytes }: Part): Promise<true> {
  if (append) return refuse(untaught("filesystem.put with append"));
  const hash = createHash("sha256");
  let head = Buffer.alloc(0);
  let size = 0;
  const file = (): NasFile => ({
    size,
    sha256: hash.copy().digest("hex"),
    head: head.toString(),
    mode: mode ?? 0o644,
    mtime: server.world.now(),
  });
  const keep = (method: string) => server.act(method, putFile(server.nas(), path, file(), server.around));
  keep("filesystem.put begins");
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      if (head.length < HEAD) head = Buffer.concat([head, chunk]).subarray(0, HEAD);
      size += chunk.length;
    }
  } catch (error) {
    const half = file();
    server.world.change("world", `half of ${path} is written`, ({ nas }) => void (nas.files[path] = half));
    throw error;
  }
  return keep("filesystem.put");
}
