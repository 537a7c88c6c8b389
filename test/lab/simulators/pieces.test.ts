// The small pieces that the simulated home rests on.
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readFlags } from "../../simulators/cli/flags.ts";
import { columns } from "../../simulators/cli/table.ts";
import { finderOf, formsOf } from "../../simulators/evidence/forms.ts";
import { createAuthority, fingerprint, issue, type KeyKind } from "../../simulators/world/certificates.ts";
import { buildIso, readIso, refusalOf, takeSchematic } from "../../simulators/world/talos/factory.ts";
import { readInstaller } from "../../simulators/world/life.ts";
import { readSchematic } from "../../simulators/world/talos/schematic.ts";
import { Untaught } from "../../simulators/world/tool.ts";
import { testWorld } from "./test-world.ts";

describe("certificates", () => {
  test.each<KeyKind>(["p256", "ed25519"])("of %s hold up to Node's own reading", (kind) => {
    const authority = createAuthority({ subject: { organizations: ["talos"] }, days: 3650, kind });
    const key = createPrivateKey(authority.key);
    const made = new X509Certificate(
      issue(
        { key, public: createPublicKey(key), name: authority.name },
        {
          subject: { organizations: ["os:admin"], commonName: "me" },
          days: 365,
          kind,
          hosts: ["127.0.0.1", "a.example.com"],
          use: ["client"],
        },
      ).cert,
    );
    const ca = new X509Certificate(authority.cert);
    expect([made.verify(ca.publicKey), made.checkIssued(ca), ca.ca, made.ca]).toEqual([true, true, true, false]);
    expect([made.subject, made.subjectAltName, made.keyUsage]).toEqual([
      "O=os:admin\nCN=me",
      "IP Address:127.0.0.1, DNS:a.example.com",
      ["1.3.6.1.5.5.7.3.2"],
    ]);
    expect(made.checkHost("a.example.com")).toBe("a.example.com");
    expect(fingerprint(authority.cert)).toBe(ca.fingerprint256);
  });
});

describe("a schematic's id", () => {
  test.each([
    ["{}", "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"],
    ["customization: { extraKernelArgs: [noapic, nolapic] }", "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c"],
    ["customization: { meta: [{ key: 10, value: foo }] }", "d308a2a5ee2277bed5fbaa104fcbc8d59122abfa737df987a95b4ca763459a7f"],
    [
      "overlay: { name: rpi_generic, image: siderolabs/sbc-raspberrypi }",
      "ee21ef4a5ef808a9b7484cc0dda0f25075021691c8c09a276591eedb638ea1f9",
    ],
    [
      "customization: { secureboot: { includeWellKnownCertificates: true } }",
      "fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6",
    ],
    [
      "customization: { systemExtensions: { officialExtensions: [siderolabs/intel-ucode, siderolabs/nfsd] } }",
      "891abb135dd18ebca6ab8bc95a0ab71859a24b9308a402133cd41ce689ed452e",
    ],
  ])("of %s is the factory's", (text, id) => expect(readSchematic(text)).toMatchObject({ id }));
  test.each([
    ["", "EOF"],
    ["customization: { extensions: [] }", "field extensions not found in type schematic.Schematic"],
    ["customization: [", "yaml: "],
    ["# only a comment", "EOF"],
    ["customization: { bootloader: systemd-boot }", "systemd-boot does not belong to BootloaderKind values"],
    ["customization: { extraKernelArgs: quiet }", "cannot construct !!str into []string"],
    ["customization: { meta: [{ key: 256 }] }", "cannot construct !!scalar `256` into uint8"],
    ["owner: me", "owner field is only supported in Enterprise edition"],
  ])("%j is refused", (text, error) => expect(readSchematic(text)).toEqual({ error: expect.stringContaining(error) }));
});

describe("the factory", () => {
  const taken = (extension: string) => {
    const world = testWorld();
    return {
      world,
      id: (takeSchematic(world, `customization: { systemExtensions: { officialExtensions: [${extension}] } }`) as { id: string }).id,
    };
  };
  test("takes a schematic once, an unknown extension too, and fails only when an image is asked for", () => {
    const { world, id } = taken("siderolabs/nope");
    takeSchematic(world, "customization: { systemExtensions: { officialExtensions: [siderolabs/nope] } }");
    expect(world.changes).toHaveLength(1);
    expect(refusalOf(world.state, id, "v1.13.9")).toEqual({
      status: 400,
      text: 'error enhancing profile from schematic: official extension "siderolabs/nope" is not available for Talos version v1.13.9',
    });
  });
  test("knows old names of extensions, and versions with and without v", () => {
    const { world, id } = taken("siderolabs/i915-ucode");
    expect([refusalOf(world.state, id, "1.13.9"), refusalOf(world.state, id, "v1.13.9")]).toEqual([undefined, undefined]);
  });
  test("an ISO says what it boots; any other file does not", () => {
    const medium = { talos: "v1.13.9", schematic: "a", platform: "metal" };
    expect(readIso(buildIso(medium))).toEqual(medium);
    expect(buildIso(medium).equals(buildIso(medium))).toBe(true);
    expect(readIso(Buffer.from("not an ISO"))).toBeUndefined();
  });
  test.each([
    [`factory.talos.dev/metal-installer/${"a".repeat(64)}:v1.13.9`, { platform: "metal", schematic: "a".repeat(64), talos: "v1.13.9" }],
    [`factory.talos.dev/installer/${"a".repeat(64)}:v1.13.9`, { platform: "metal", schematic: "a".repeat(64), talos: "v1.13.9" }],
    [
      `factory.talos.dev/metal-installer-secureboot/${"a".repeat(64)}:v1.13.9`,
      { platform: "metal", schematic: "a".repeat(64), talos: "v1.13.9" },
    ],
    ["ghcr.io/siderolabs/installer:v1.13.9", { platform: "metal", schematic: "", talos: "v1.13.9" }],
    ["docker.io/other/installer:v1", undefined],
  ])("the installer %s", (image, medium) => expect(readInstaller(image)).toEqual(medium));
});

describe("words of Go's command lines", () => {
  const flags = { nodes: { is: "list", short: "n" }, output: { is: "text", short: "o" }, merge: { is: "switch" } } as const;
  test("in all their forms", () => {
    const words = readFlags(["get", "-n", "a,b", "--nodes=c", "-ojson", "--merge=false", "x", "--", "--nodes"], flags);
    expect([words.rest, words.list("nodes"), words.text("output"), words.given("merge"), words.on("merge")]).toEqual([
      ["get", "x", "--nodes"],
      ["a", "b", "c"],
      "json",
      false,
      false,
    ]);
  });
  test.each([[["--nope"]], [["-x"]], [["--output"]]])("%j was not taught", (argv) =>
    expect(() => readFlags(argv, flags)).toThrow(Untaught),
  );
});

test("columns are as wide as their widest cell and three spaces", () =>
  expect(
    columns([
      ["NODE", "ID"],
      ["a", 1],
      ["long-name", true],
    ]),
  ).toBe("NODE        ID\na           1\nlong-name   true\n"));

test("a secret is looked for in every form that it may take", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIF3miKQv\n-----END PRIVATE KEY-----\n";
  expect(formsOf(Buffer.from(key).toString("base64"))).toEqual(
    expect.arrayContaining([Buffer.from(key).toString("base64"), "MC4CAQAwBQYDK2VwBCIEIF3miKQv"]),
  );
  expect(formsOf('{"a":"taint-salt-0011"}')).toContain("taint-salt-0011");
  const value = 'taint-"quoted"\\of\ntwo lines & more';
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const isIn = finderOf(value);
  for (const form of [value, JSON.stringify(value), JSON.stringify(JSON.stringify(value)), encodeURIComponent(value), base64(value)]) {
    expect(isIn(`x ${form} y`), form).toBe(true);
    for (const before of ["", "1", "22", "333"]) {
      expect(isIn(base64(`${before}${form} y`).replace(/.{16}/g, "$&\n  ")), form).toBe(true);
      expect(isIn(base64(`-${base64(`${before}${value} y`)}`)), form).toBe(true);
    }
  }
  expect(isIn("two lines of another text")).toBe(false);
});
