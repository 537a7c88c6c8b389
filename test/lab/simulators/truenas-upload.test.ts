// Uploads to the simulated NAS: the order of the parts, who may, what is kept, and what a broken one leaves behind.
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:https";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readParts } from "../../simulators/wire/truenas/multipart.ts";
import { type Bench, BOUNDARY, KEY, multipart, openBench, type TestClient } from "./truenas-client.ts";

let bench: Bench;
let client: TestClient;
const ISO = "/mnt/flashstor/ISO/talos.iso";
const data = (path = ISO, more: object = { mode: 420 }) => JSON.stringify({ method: "filesystem.put", params: [path, more] });
const token = async () => ({ authorization: `Token ${await client.call("auth.generate_token", 300, {}, true, true)}` });
const jobOf = async (text: string) => {
  const { job_id } = JSON.parse(text) as { job_id: number };
  let [row] = await client.call("core.get_jobs", [["id", "=", job_id]]);
  while (row.state === "RUNNING") [row] = await client.call("core.get_jobs", [["id", "=", job_id]]);
  return row;
};

beforeEach(async () => {
  bench = await openBench("25.10.5");
  client = await bench.connect();
});
afterEach(() => bench.close());

test("keeps size, sum and first bytes of a file, and answers with its job", async () => {
  const bytes = Buffer.concat([Buffer.from('{"talos":"v1.13.9"}\n'.padEnd(512)), randomBytes(3_000_000)]);
  const answer = await bench.upload(
    [
      ["data", data()],
      ["file", bytes],
    ],
    await token(),
  );
  expect(answer.status).toBe(200);
  expect(await jobOf(answer.text)).toMatchObject({ state: "SUCCESS", result: true, method: "filesystem.put" });
  expect(bench.nas().files[ISO]).toMatchObject({
    size: 3_000_512,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    head: bytes.subarray(0, 512).toString(),
    mode: 0o644,
  });
  expect(await client.call("filesystem.stat", ISO)).toMatchObject({ size: 3_000_512, mode: 0o100_644 });
  expect(bench.world.changes).toEqual([`product: nas filesystem.put begins ${ISO}`, `product: nas filesystem.put ${ISO}`]);
});

test("a body that breaks off leaves half a file, which stat cannot tell from a whole one", async () => {
  const whole = multipart([
    ["data", data()],
    ["file", randomBytes(200_000)],
  ]);
  const headers = {
    ...(await token()),
    "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
    "content-length": String(whole.length),
  };
  await new Promise<void>((resolve) => {
    const sent = request({
      host: "127.0.0.1",
      port: bench.server.port,
      path: "/_upload",
      method: "POST",
      headers,
      rejectUnauthorized: false,
    });
    sent.on("error", () => resolve());
    sent.write(whole.subarray(0, 100_000));
    setTimeout(() => sent.destroy(), 80);
  });
  let rows = await client.call("core.get_jobs");
  while (rows[0].state === "RUNNING") rows = await client.call("core.get_jobs");
  expect(rows).toMatchObject([{ state: "FAILED", method: "filesystem.put" }]);
  const { size } = await client.call("filesystem.stat", ISO);
  expect(size).toBeGreaterThan(0);
  expect(size).toBeLessThan(200_000);
  expect(bench.world.changes.at(-1)).toBe(`world: half of ${ISO} is written`);
});

describe("is refused", () => {
  const upload = (parts: [string, string][], headers?: Record<string, string>) => bench.upload(parts, headers);
  test.each<[string, [string, string][], number, string]>([
    ["nothing in it", [], 405, "No part found on payload"],
    ["the file first", [["file", "x"]], 405, '"data" part must be the first on payload'],
    ["no file", [["data", data()]], 405, '"file" not found as second part on payload'],
    [
      "another part",
      [
        ["data", data()],
        ["file", "x"],
        ["more", "y"],
      ],
      405,
      "Unknown payload part more",
    ],
    ["no JSON", [["data", "{"]], 400, "Invalid JSON"],
    ["no method", [["data", "{}"]], 422, "Method not specified"],
    ["another method", [["data", '{"method":"vm.create"}']], 422, "Method vm.create not found"],
    [
      "wrong parameters",
      [
        ["data", data(ISO, { mode: "0644" })],
        ["file", "x"],
      ],
      412,
      "options.mode",
    ],
  ])("with %s", async (_, parts, status, text) => {
    const answer = await upload(parts, await token());
    expect(answer).toEqual({ status, text: expect.stringContaining(text) });
  });
  test("without a right to it", async () => {
    const parts: [string, string][] = [
      ["data", data()],
      ["file", "x"],
    ];
    expect(await upload(parts)).toMatchObject({ status: 401 });
    expect(await upload(parts, { authorization: "Token x" })).toEqual({ status: 403, text: "Invalid token" });
    expect(await upload(parts, { authorization: "Bearer x" })).toEqual({ status: 401, text: "Invalid API key" });
    expect(await upload(parts, { authorization: "Basic eDp5" })).toEqual({ status: 401, text: "Bad username or password" });
    const once = await token();
    expect(await upload(parts, once)).toMatchObject({ status: 200 });
    expect(await upload(parts, once)).toMatchObject({ status: 403 });
    expect(await upload(parts, { authorization: `Bearer ${KEY}` })).toMatchObject({ status: 200 });
    bench.nas().accounts[0]!.roles = ["VM_WRITE"];
    expect(await upload(parts, await token().catch(() => ({ authorization: "Token x" })))).toMatchObject({ status: 403 });
  });
  test("as another kind of body", async () =>
    expect(await upload([], { ...(await token()), "content-type": "text/plain" })).toMatchObject({ status: 405 }));
});

test("a file that cannot be written is a job that fails; its bytes are read all the same", async () => {
  const answer = await bench.upload(
    [
      ["data", data("/mnt/none/a.iso")],
      ["file", "x".repeat(100_000)],
    ],
    await token(),
  );
  expect(answer.status).toBe(200);
  expect(await jobOf(answer.text)).toMatchObject({ state: "FAILED", error: "[Errno 2] No such file or directory: '/mnt/none/a.iso'" });
});

test("over the socket there is nothing at the other end of the pipe", async () =>
  expect(await client.job("filesystem.put", ISO)).toMatchObject({ state: "FAILED", error: "Pipe 'input' is not open" }));

test.each([1, 7, 64])("parts are found however the body is cut: %d bytes at a time", async (size) => {
  const body = multipart([
    ["data", "a\r\n--b0un"],
    ["file", "x\r\n--b0un\r\n\r\ny"],
  ]);
  async function* cut() {
    for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
  }
  const found: string[] = [];
  for await (const { name, bytes } of readParts(cut(), BOUNDARY)) {
    let text = "";
    for await (const chunk of bytes) text += chunk.toString();
    found.push(`${name}=${text}`);
  }
  expect(found).toEqual(["data=a\r\n--b0un", "file=x\r\n--b0un\r\n\r\ny"]);
});
