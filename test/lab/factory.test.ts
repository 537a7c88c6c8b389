// The product's HTTP client against the simulated proxy and factory: real TLS, a real CONNECT, a real redirect.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGate } from "../../scripts/lib/run/effects.ts";
import { askImage, imageUrl, missingExtensions, postSchematic } from "../../scripts/lib/talos/factory.ts";
import { type Http, openHttp } from "../../scripts/lib/http/http.ts";
import { silentReport } from "../../scripts/lib/run/report.ts";
import { createAuthority } from "../simulators/world/certificates.ts";
import { openFactory } from "../simulators/wire/factory/factory.ts";
import { publicHosts, serveProxy } from "../simulators/wire/proxy.ts";
import { freshFactory } from "../simulators/world/talos/factory.ts";
import { openWorld, type State, type World } from "../simulators/world/world.ts";

const folder = mkdtempSync(join(tmpdir(), "factory-"));
const ui = { progress: () => {} } as never;
const { signal } = new AbortController();
let world: World;
let http: Http;
let untrusting: Http;
let close: () => Promise<void>;

beforeAll(async () => {
  openGate(silentReport, false);
  world = openWorld(folder, () => ({ factory: freshFactory(), faults: {} }) as unknown as State);
  const authority = createAuthority({ subject: { commonName: "lab" }, days: 1 });
  const proxy = await serveProxy(world, {
    authority,
    hosts: { ...publicHosts(), ...openFactory(world) },
    down: () => world.has("factory-down"),
  });
  close = () => proxy.close();
  const file = join(folder, "ca.pem");
  writeFileSync(file, authority.cert);
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: "127.0.0.0/8" };
  http = openHttp({ env: { ...env, SSL_CERT_FILE: file }, signal, ui });
  untrusting = openHttp({ env, signal, ui });
});
afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

const TEXT = "customization:\n  extraKernelArgs: [quiet]\n";
const fault = (name: "factory-down" | "factory-cuts-download" | "factory-slow", times: number) =>
  world.change("world", "fault", (state) => void (state.faults[name] = times));

test("the proxy's certificate counts only with SSL_CERT_FILE", async () => {
  expect((await http.ask("https://factory.talos.dev/versions")).status).toBe(200);
  await expect(untrusting.ask("https://factory.talos.dev/versions")).rejects.toThrow(
    "could not GET https://factory.talos.dev/versions\n  said: unable to verify the first certificate",
  );
});

test("a schematic that was not handed in has no image; then it has one, which is downloaded whole through a redirect", async () => {
  const id = "0".repeat(64);
  expect(await askImage(http, imageUrl(id, "v1.13.9", "metal-amd64.iso"), { ui, signal })).toEqual({
    unknown: "the factory does not know this schematic or version yet",
  });
  const made = await postSchematic(http, TEXT, "task x");
  const url = imageUrl(made, "v1.13.9", "metal-amd64.iso");
  const image = (await askImage(http, url, { ui, signal })) as { size: number };
  fault("factory-cuts-download", 2);
  const parts: Buffer[] = [];
  const { sha256, size } = await http.download(url, {
    size: image.size,
    name: "talos.iso",
    async sink(bytes) {
      parts.length = 0;
      for await (const part of bytes) parts.push(Buffer.from(part));
    },
  });
  expect(size).toBe(image.size);
  expect(sha256).toBe(createHash("sha256").update(Buffer.concat(parts)).digest("hex"));
  expect(world.has("factory-cuts-download")).toBe(false);
});

test("an image that takes long to build is waited for", async () => {
  fault("factory-slow", 1);
  const id = await postSchematic(http, "customization:\n  extraKernelArgs: [slow]\n", "task x");
  expect(await askImage(http, imageUrl(id, "v1.13.9", "metal-amd64.iso"), { ui, signal })).toHaveProperty("size");
});

test("extensions", async () =>
  expect(await missingExtensions(http, "v1.13.9", ["siderolabs/qemu-guest-agent", "siderolabs/no-such"])).toEqual(["siderolabs/no-such"]));

test("a factory that does not answer is said to be unknown, and an act fails with its reason", async () => {
  fault("factory-down", 1_000);
  expect(await askImage(http, imageUrl("1".repeat(64), "v1.13.9", "metal-amd64.iso"), { ui, signal, patience: 0 })).toHaveProperty(
    "unknown",
  );
  await expect(postSchematic(http, TEXT, "task x")).rejects.toThrow(
    "could not POST https://factory.talos.dev/schematics (talos/schematic.yaml)\n  said: ",
  );
  fault("factory-down", 0);
});
