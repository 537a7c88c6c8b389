import { createHash } from "node:crypto";
import { MockAgent } from "undici";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { openHttp, type HttpContext } from "../../../scripts/lib/http/http.ts";
import { isoName, isoPath, sidecarPath, sidecarText } from "../../../scripts/lib/truenas/iso.ts";
import { UploadBroke } from "../../../scripts/lib/truenas/upload.ts";
import { UnknownOutcome } from "../../../scripts/lib/truenas/refusal.ts";
import { record, type RecordSetup } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";
import { type FakeNas, fakeNas } from "../truenas/fake-nas.ts";

const ID = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const TEXT = "customization:\n  systemExtensions:\n    officialExtensions: [siderolabs/qemu-guest-agent]\n";
const home = vi.hoisted(() => ({ nas: undefined as unknown, agent: undefined as unknown }));
vi.mock("../../../scripts/lib/truenas/nas.ts", () => ({ connectNas: async () => home.nas }));
vi.mock("../../../scripts/lib/talos/schematic.ts", () => ({
  readSchematic: async () => ({ id: ID, canonical: TEXT, text: TEXT, extensions: ["siderolabs/qemu-guest-agent"], secureboot: false }),
}));
vi.mock("../../../scripts/lib/http/http.ts", async (original) => {
  const real = await original<{ openHttp: typeof openHttp }>();
  return { openHttp: (context: HttpContext) => real.openHttp(context, home.agent as never) };
});
const { prepareIso } = await import("../../../scripts/talos/prepare-iso.ts");

const NAME = isoName("v1.13.9", { id: ID, secureboot: false }, "truenas");
const PATH = isoPath(testCluster(), NAME);
const BODY = "an ISO ".repeat(100);
const SHA = createHash("sha256").update(BODY).digest("hex");

let nas: FakeNas;
let agent: MockAgent;
const factory = () => agent.get("https://factory.talos.dev");
const image = (method: "HEAD" | "GET") => factory().intercept({ method, path: `/image/${ID}/v1.13.9/metal-amd64.iso` });
const extensions = (names: string[]) =>
  factory()
    .intercept({ path: "/version/v1.13.9/extensions/official" })
    .reply(200, JSON.stringify(names.map((name) => ({ name }))));
const post = (id: string) => factory().intercept({ method: "POST", path: "/schematics" }).reply(201, JSON.stringify({ id }));
const size = { headers: { "content-length": String(BODY.length) } };

/** A factory that does not know the schematic until it is handed in, then builds and serves it. */
function goodFactory() {
  image("HEAD").reply(404, "not found");
  extensions(["siderolabs/qemu-guest-agent"]);
  post(ID);
  image("HEAD").reply(200, "", size);
}

beforeEach(() => {
  agent = new MockAgent();
  agent.disableNetConnect();
  nas = fakeNas();
  Object.assign(home, { nas, agent });
});
const run = async (setup: RecordSetup = {}) => {
  const lab = await record(setup);
  const ended = await lab.run(prepareIso, {});
  return { ...lab, message: ended instanceof Error ? ended.message : undefined };
};

describe("an ISO that is not there", () => {
  test("is built, streamed to the NAS, and vouched for", async () => {
    goodFactory();
    image("GET").reply(200, BODY);
    const { message, plans, said } = await run();
    expect(message).toBeUndefined();
    expect(plans[0]!.title).toBe("talos:prepare-iso: the ISO is not on the NAS yet");
    expect(nas.acts).toEqual([`filesystem.put ${NAME}`, `filesystem.put ${NAME}.sha256`]);
    expect(nas.world.files[PATH]!.text).toBe(BODY);
    expect(nas.world.files[sidecarPath(PATH)]!.text).toBe(`${SHA}  ${NAME}\n`);
    expect(said.at(-1)).toBe(`${PATH} is there: 0 MB, sha256 ${SHA}`);
  });

  test("a dry run hands nothing in and sends nothing", async () => {
    image("HEAD").reply(404, "not found");
    const { message, plans } = await run({ dryRun: true });
    expect(message).toBe("dry run: nothing was changed");
    expect(plans[0]!.lines).toEqual([
      `hand talos/schematic.yaml in to the image factory, expecting ID ${ID}`,
      `stream https://factory.talos.dev/image/${ID}/v1.13.9/metal-amd64.iso`,
      `to the NAS: ${PATH}, and its checksum beside it`,
    ]);
    expect(nas.acts).toEqual([]);
  });

  test("a download that breaks off is begun again", async () => {
    goodFactory();
    image("GET").reply(200, BODY.slice(0, 50));
    image("GET").reply(200, BODY);
    expect((await run()).message).toBeUndefined();
    expect(nas.world.files[PATH]!.text).toBe(BODY);
  });

  test.each([
    ["a NAS that went away in the middle gets it again", new UploadBroke(NAME, "socket hang up"), 3],
    ["an upload whose end nobody saw is looked at", new UnknownOutcome("lost"), 2],
  ])("%s", async (_, error, uploads) => {
    goodFactory();
    image("GET").reply(200, BODY);
    image("GET").reply(200, BODY);
    const upload = nas.upload;
    let first = true;
    nas.upload = async (file) => {
      await upload(file);
      if (!first) return;
      first = false;
      throw error;
    };
    expect((await run()).message).toBeUndefined();
    expect(nas.acts).toHaveLength(uploads);
  });
});

describe("an ISO that is there", () => {
  const there = (bytes: number) =>
    Object.assign(nas.world.files, {
      [PATH]: { size: bytes, mtime: 1 },
      [sidecarPath(PATH)]: { size: sidecarText(SHA, NAME).length, mtime: 2 },
    });

  test("whole, is not sent again, and nothing is asked", async () => {
    there(BODY.length);
    image("HEAD").reply(200, "", size);
    const { said, plans } = await run();
    expect([said, plans, nas.acts]).toEqual([[`${PATH} is there`], [], []]);
  });

  test("is believed when the factory cannot be asked", async () => {
    there(BODY.length);
    image("HEAD").reply(500, "");
    expect((await run()).said).toEqual([`${PATH} is there (its size is not compared: the factory answered with status 500)`]);
  });

  test("of another size than the factory's is sent again", async () => {
    there(5);
    image("HEAD").reply(200, "", size);
    expect((await run({ dryRun: true })).plans[0]!.title).toBe(`talos:prepare-iso: it has 5 bytes, the image factory's has ${BODY.length}`);
  });
});

test("an ISO that appears while the question is open is not replaced", async () => {
  image("HEAD").reply(200, "", size);
  image("HEAD").reply(200, "", size);
  const appear = () => void (nas.world.files = { [PATH]: { size: 1, mtime: 1 } });
  expect((await run({ whileAsking: appear })).message).toContain(
    `the plan changed while the question was open\n  said: new: replace ${PATH}`,
  );
  expect(nas.acts).toEqual([]);
});

describe("stops before anything is sent", () => {
  test("when the factory's ID is another than the predicted one, saying both", async () => {
    image("HEAD").reply(404, "");
    extensions(["siderolabs/qemu-guest-agent"]);
    post("f".repeat(64));
    const { message } = await run();
    expect(message).toContain(ID);
    expect(message).toContain("f".repeat(64));
    expect(nas.acts).toEqual([]);
  });

  test("when the factory lacks an extension for this version", async () => {
    image("HEAD").reply(404, "");
    extensions([]);
    expect((await run()).message).toContain("the image factory has no extension siderolabs/qemu-guest-agent for it");
  });

  test("when the ISO folder is in the pool's root dataset", async () => {
    nas.world.isoSource = "flashstor";
    image("HEAD").reply(404, "");
    expect((await run()).message).toContain("TrueNAS takes CDs only from a child dataset");
  });

  test("when the factory never builds it", async () => {
    image("HEAD").reply(404, "");
    extensions(["siderolabs/qemu-guest-agent"]);
    post(ID);
    image("HEAD").reply(400, "bad");
    expect((await run()).message).toContain("said: the factory answered with status 400");
  });

  test("on another hypervisor", async () => {
    expect((await run({ cluster: testCluster({ hypervisor: "vsphere" }) })).message).toContain(
      "could not run talos:prepare-iso\n  said: talos/cluster.yaml has hypervisor: vsphere, which is not supported yet",
    );
  });
});

test("a file that arrived short is a failure, whatever the NAS said", async () => {
  goodFactory();
  image("GET").reply(200, BODY);
  nas.upload = async ({ path, bytes }) => {
    for await (const _ of bytes) continue;
    nas.world.files[path] = { size: 3, mtime: 1 };
  };
  expect((await run()).message).toContain(`3 bytes arrived of ${BODY.length}`);
});
