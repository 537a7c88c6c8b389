// The registries at the wire, asked as an OCI client asks: through the proxy, with tokens, by tag and by digest.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseTar } from "nanotar";
import { ProxyAgent, request } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { artifactOf } from "../../simulators/world/charts/artifact.ts";
import { createAuthority } from "../../simulators/world/certificates.ts";
import { serveProxy } from "../../simulators/wire/proxy.ts";
import { openRegistries } from "../../simulators/wire/registry/registry.ts";
import type { Fault } from "../../simulators/world/faults.ts";
import { openWorld, type State, type World } from "../../simulators/world/world.ts";

const CHART = "https://ghcr.io/v2/coredns/charts/coredns";
const SOURCE = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: coredns }
spec: { ref: { tag: 1.47.0 }, url: oci://ghcr.io/coredns/charts/coredns }
`;
const HELMFILE = `releases:
  - { name: coredns, namespace: kube-system, chart: oci://ghcr.io/coredns/charts/coredns, version: 1.9.0 }
  - { name: own, namespace: default, chart: oci://docker.io/someone/own, version: 0.1.0 }
`;

const folder = mkdtempSync(join(tmpdir(), "registry-"));
let world: World;
let dispatcher: ProxyAgent;
let close: () => Promise<void>;

beforeAll(async () => {
  world = openWorld(folder, () => ({ faults: {} }) as unknown as State);
  for (const [path, text] of Object.entries({
    "kubernetes/coredns/ocirepository.yaml": SOURCE,
    "bootstrap/helmfile.d/00.yaml": HELMFILE,
  })) {
    mkdirSync(join(folder, "repo", path, ".."), { recursive: true });
    writeFileSync(join(folder, "repo", path), text);
  }
  const authority = createAuthority({ subject: { commonName: "lab" }, days: 1 });
  const proxy = await serveProxy(world, { authority, hosts: openRegistries(world), down: () => false });
  dispatcher = new ProxyAgent({ uri: `http://127.0.0.1:${proxy.port}`, requestTls: { ca: authority.cert } });
  close = async () => {
    await dispatcher.close();
    await proxy.close();
  };
});
afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => world.change("world", "mended", (state) => void (state.faults = {})));

const strike = (fault: Fault) => world.change("world", "fault", (state) => void (state.faults[fault] = 1));
/** A token, as the challenge of a first try says where to get it. */
async function login(url: string): Promise<string> {
  const { headers } = await request(url, { dispatcher });
  const challenge = String(headers["www-authenticate"]);
  const part = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const { body } = await request(`${part("realm")}?service=${part("service")}&scope=${part("scope")}`, { dispatcher });
  return ((await body.json()) as { token: string }).token;
}
async function ask(url: string, method: "GET" | "HEAD" | "PUT" = "GET", token?: string) {
  const authorization = `Bearer ${token ?? (await login(url))}`;
  const { statusCode, headers, body } = await request(url, { dispatcher, method, headers: { authorization } });
  return { status: statusCode, headers, bytes: Buffer.from(await body.arrayBuffer()) };
}
const errors = async (url: string, method?: "PUT") => {
  const { status, bytes } = await ask(url, method);
  return [status, JSON.parse(bytes.toString()).errors.map(({ code, detail }: any) => [code, detail])];
};

describe("who asks without a token", () => {
  test("is told where to get one, and for what", async () => {
    const { statusCode, headers, body } = await request(`${CHART}/manifests/1.47.0`, { dispatcher });
    expect([statusCode, headers["www-authenticate"], await body.json()]).toEqual([
      401,
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:coredns/charts/coredns:pull"',
      { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] },
    ]);
  });
  test("gets it from another host where the registry has one for that", async () => {
    const { headers } = await request("https://registry-1.docker.io/v2/", { dispatcher });
    expect(headers["www-authenticate"]).toBe('Bearer realm="https://auth.docker.io/token",service="registry.docker.io"');
    expect((await ask("https://registry-1.docker.io/v2/someone/own/manifests/0.1.0")).status).toBe(200);
  });
  test("needs none at registry.k8s.io", async () => {
    expect((await request("https://registry.k8s.io/v2/", { dispatcher })).statusCode).toBe(200);
  });
  test("a token for another repository, or another registry, is none", async () => {
    const token = await login(`${CHART}/manifests/1.47.0`);
    expect((await ask("https://ghcr.io/v2/other/chart/manifests/1", "GET", token)).status).toBe(401);
    expect((await ask("https://quay.io/v2/", "GET", token)).status).toBe(401);
    expect((await ask("https://ghcr.io/v2/", "GET", token)).status).toBe(200);
  });
});

describe("a chart", () => {
  test("is found by tag and by digest, whole with GET and without its body with HEAD", async () => {
    const { digest, manifest } = artifactOf("oci://ghcr.io/coredns/charts/coredns", "1.47.0");
    const byTag = await ask(`${CHART}/manifests/1.47.0`);
    const byDigest = await ask(`${CHART}/manifests/${digest}`);
    const head = await ask(`${CHART}/manifests/1.47.0`, "HEAD");
    expect([byTag.status, byDigest.status, head.status]).toEqual([200, 200, 200]);
    expect(byTag.bytes.equals(manifest) && byDigest.bytes.equals(manifest)).toBe(true);
    expect([head.bytes.length, head.headers["docker-content-digest"], head.headers["content-length"]]).toEqual([
      0,
      digest,
      String(manifest.length),
    ]);
    expect(head.headers["content-type"]).toBe("application/vnd.oci.image.manifest.v1+json");
  });
  test("has a config that says what it is, and a layer that is the chart; both fit their digests", async () => {
    const manifest = JSON.parse((await ask(`${CHART}/manifests/1.47.0`)).bytes.toString());
    const [config, layer] = await Promise.all(
      [manifest.config, ...manifest.layers].map(async ({ digest, size }: { digest: string; size: number }) => {
        const { bytes } = await ask(`${CHART}/blobs/${digest}`);
        expect([`sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes.length]).toEqual([digest, size]);
        return bytes;
      }),
    );
    expect(JSON.parse(config!.toString())).toMatchObject({ apiVersion: "v2", name: "coredns", version: "1.47.0" });
    expect(parseTar(gunzipSync(layer!)).map(({ name }) => name)).toEqual([
      "coredns/Chart.yaml",
      "coredns/values.yaml",
      "coredns/templates/_monitor.tpl",
      "coredns/templates/monitor.yaml",
      "coredns/templates/workloads.yaml",
    ]);
  });
  test("has the versions that the repository asks for, page by page", async () => {
    const all = await ask(`${CHART}/tags/list`);
    expect(JSON.parse(all.bytes.toString())).toEqual({ name: "coredns/charts/coredns", tags: ["1.47.0", "1.9.0"] });
    const first = await ask(`${CHART}/tags/list?n=1`);
    expect(JSON.parse(first.bytes.toString()).tags).toEqual(["1.47.0"]);
    expect(first.headers.link).toBe('</v2/coredns/charts/coredns/tags/list?n=1&last=1.47.0>; rel="next"');
    expect(JSON.parse((await ask(`${CHART}/tags/list?n=1&last=1.47.0`)).bytes.toString()).tags).toEqual(["1.9.0"]);
  });
});

describe("what is not there", () => {
  test.each([
    [`${CHART}/manifests/9.9.9`, 404, "MANIFEST_UNKNOWN", { tag: "9.9.9" }],
    [`${CHART}/manifests/sha256:00`, 404, "MANIFEST_UNKNOWN", { digest: "sha256:00" }],
    [`${CHART}/blobs/sha256:00`, 404, "BLOB_UNKNOWN", { digest: "sha256:00" }],
    ["https://ghcr.io/v2/coredns/charts/other/manifests/1.47.0", 404, "NAME_UNKNOWN", { name: "coredns/charts/other" }],
    ["https://quay.io/v2/coredns/charts/coredns/manifests/1.47.0", 404, "NAME_UNKNOWN", { name: "coredns/charts/coredns" }],
  ])("%s", async (url, status, code, detail) => expect(await errors(url)).toEqual([status, [[code, detail]]]));
  test("is writing", async () => {
    expect(await errors(`${CHART}/manifests/1.47.0`, "PUT")).toEqual([405, [["UNSUPPORTED", undefined]]]);
  });
});

describe("a registry that", () => {
  test("wants fewer requests says how long to wait, and then answers", async () => {
    const token = await login(`${CHART}/manifests/1.47.0`);
    strike("registry-rate-limited");
    const refused = await ask(`${CHART}/manifests/1.47.0`, "GET", token);
    expect([refused.status, refused.headers["retry-after"], JSON.parse(refused.bytes.toString()).errors[0].code]).toEqual([
      429,
      "1",
      "TOOMANYREQUESTS",
    ]);
    expect((await ask(`${CHART}/manifests/1.47.0`, "GET", token)).status).toBe(200);
  });
  test("is broken hands out as many bytes as it should, and none of the right ones", async () => {
    const [digest, whole] = [...artifactOf("oci://ghcr.io/coredns/charts/coredns", "1.47.0").blobs].at(-1)!;
    const token = await login(`${CHART}/blobs/${digest}`);
    strike("registry-broken");
    const { bytes } = await ask(`${CHART}/blobs/${digest}`, "GET", token);
    expect([bytes.length, bytes.equals(whole)]).toEqual([whole.length, false]);
    expect((await ask(`${CHART}/blobs/${digest}`, "GET", token)).bytes.equals(whole)).toBe(true);
  });
  test("is slow takes seconds over a blob", async () => {
    const [digest, whole] = [...artifactOf("oci://ghcr.io/coredns/charts/coredns", "1.47.0").blobs].at(-1)!;
    const token = await login(`${CHART}/blobs/${digest}`);
    strike("registry-slow");
    const began = performance.now();
    expect((await ask(`${CHART}/blobs/${digest}`, "GET", token)).bytes.equals(whole)).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(2_000);
  });
});
