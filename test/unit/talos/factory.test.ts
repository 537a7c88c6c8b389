import { expect, test } from "vitest";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import { askImage, imageUrl, missingExtensions, postSchematic } from "../../../scripts/lib/talos/factory.ts";
import type { HttpAnswer, Http } from "../../../scripts/lib/http/http.ts";

const ID = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const answer = (status: number, text = "", headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  text,
  header: (name) => headers[name],
});
const says = (said: HttpAnswer | Error): Http => {
  const reply = async () => {
    if (said instanceof Error) throw said;
    return said;
  };
  return { ask: reply, act: reply, download: reply as never };
};
const context = { ui: { progress: () => {} } as never, signal: new AbortController().signal };

test("where an image is", () =>
  expect(imageUrl(ID, "v1.13.9", "metal-amd64.iso")).toBe(`https://factory.talos.dev/image/${ID}/v1.13.9/metal-amd64.iso`));

test("a schematic's ID is what the factory says", async () =>
  expect(await postSchematic(says(answer(201, JSON.stringify({ id: ID }))), "{}", "task x")).toBe(ID));

test.each([
  [answer(400, "yaml: field something not found\n"), "said: status 400: yaml: field something not found\n  next: task x"],
  [answer(201, '{"id":"../../etc"}'), "read the image factory's answer"],
])("a refused schematic shows the factory's words", async (said, words) => {
  await expect(postSchematic(says(said), "{}", "task x")).rejects.toThrow(words);
});

test("extensions that the factory does not have for this version", async () => {
  const http = says(answer(200, JSON.stringify([{ name: "siderolabs/qemu-guest-agent" }])));
  expect(await missingExtensions(http, "v1.13.9", ["siderolabs/qemu-guest-agent", "siderolabs/nfs"])).toEqual(["siderolabs/nfs"]);
  expect(await missingExtensions(says(new Error("not asked")), "v1.13.9", [])).toEqual([]);
  await expect(missingExtensions(says(answer(404, "version not found")), "v9", ["x"])).rejects.toThrow("list the extensions for Talos v9");
});

test.each([
  [answer(200, "", { "content-length": "300" }), { size: 300 }],
  [answer(200), { unknown: "the factory answered with status 200" }],
  [answer(404), { unknown: "the factory does not know this schematic or version yet" }],
  [answer(500), { unknown: "the factory answered with status 500" }],
  [new Failure({ attempted: "HEAD", said: "ECONNREFUSED" }), { unknown: "ECONNREFUSED" }],
])("an image's size, or why it is unknown", async (said, seen) =>
  expect(await askImage(says(said), "https://x/y.iso", context)).toEqual(seen),
);
