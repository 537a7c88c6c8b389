// The schematic's ID, predicted as the image factory computes it.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, test, vi } from "vitest";
import { canonical, idOf, scalar, type Schematic } from "../../../scripts/lib/talos/schematic-id.ts";
import { isoFile } from "../../../scripts/lib/truenas/iso.ts";
import { installerImage, readSchematic, schematicOf } from "../../../scripts/lib/talos/schematic.ts";
import { schematic } from "../../../scripts/talos/schematic.ts";
import { record } from "../recorder.ts";
import { testCluster, testVersions } from "../test-cluster.ts";

const factory = vi.hoisted(() => ({ known: async (): Promise<boolean> => true }));
vi.mock("../../../scripts/lib/talos/factory.ts", async (original) => ({
  ...(await original<object>()),
  knownToFactory: () => factory.known(),
}));

interface Vector {
  name: string;
  input?: string | null;
  canonical?: string;
  id?: string;
  same?: boolean;
}
const vectors = JSON.parse(readFileSync("test/fixtures/schematic-id.vectors.json", "utf8")) as Vector[];

describe("the factory's own vectors", () => {
  test("are all here", () => expect(vectors).toHaveLength(25));
  test.each(vectors.filter(({ id }) => id))("$name", ({ input, canonical: form, id }) => {
    const text = canonical(parse(input ?? form!) as Schematic);
    expect([text, idOf(text)]).toEqual([form, id]);
  });
  test("the one whose ID depends on the factory's version is not predicted", () =>
    expect(() => canonical({ customization: { extraKernelArgs: ["yes"] } })).toThrow(
      '"yes": ask the factory, its versions quote it differently and so give different IDs',
    ));
});

describe("a text in Go's YAML", () => {
  test.each([
    ["console=ttyS0,115200", "console=ttyS0,115200"],
    ["-selinux", "-selinux"],
    ["a:b", "a:b"],
    ["x]", "x]"],
    ["", '""'],
    ["true", '"true"'],
    ["NULL", '"NULL"'],
    [".NaN", '".NaN"'],
    ["-.inf", '"-.inf"'],
    ["1_000", '"1_000"'],
    ["0x1F", '"0x1F"'],
    ["1e3", '"1e3"'],
    [".5", '".5"'],
    ["1.2.3", "1.2.3"],
    ["2026-02-30", "2026-02-30"],
    ["2026-02-28", '"2026-02-28"'],
    ["2026-02-28T10:00:00Z", '"2026-02-28T10:00:00Z"'],
    ["2026-02-28 25:00:00", "2026-02-28 25:00:00"],
    ["a: b", "'a: b'"],
    ["a:", "'a:'"],
    ["a #b", "'a #b'"],
    ["#a", "'#a'"],
    ["- a", "'- a'"],
    ["it's", "it's"],
    ["'it", "'''it'"],
    [" a", "' a'"],
    ["---", "'---'"],
    ["a\tb", '"a\\tb"'],
    ["a\u0007", '"a\\x07"'],
    ["a\nb", "|-\n    a\n    b"],
    ["a\nb\n", "|\n    a\n    b"],
    ["a\n\n", "|+\n    a\n"],
    [" a\nb", "|4-\n     a\n    b"],
    ["a \nb", '"a \\nb"'],
    ["\n", '"\\n"'],
  ])("%j → %j", (text, form) => expect(scalar(text, 4)).toBe(form));
  test.each(["no", "On", "12:30", "<<"])("%j is for the factory to tell", (text) =>
    expect(() => scalar(text, 4)).toThrow("ask the factory"),
  );
  test("that begins with an empty line is for the factory to tell", () => expect(() => scalar("\na", 4)).toThrow("ask the factory"));
});

test("options of an overlay are for the factory to tell", () =>
  expect(() => canonical({ overlay: { name: "x", options: { a: 1 } } })).toThrow("overlay.options: ask the factory"));
test("every field has its place", () =>
  expect(
    canonical({
      owner: "me",
      overlay: { image: "img", name: "board" },
      customization: {
        diskImage: { sectorSize: 512 },
        secureboot: { enrollKeys: "if-safe", includeWellKnownCertificates: true },
        bootloader: "grub",
        systemExtensions: { officialExtensions: ["e"] },
        meta: [{ key: 10 }],
        extraKernelArgs: ["a"],
        embeddedMachineConfiguration: "x",
      },
    }),
  ).toBe(
    'owner: me\noverlay:\n    image: img\n    name: board\ncustomization:\n    embeddedMachineConfiguration: x\n    extraKernelArgs:\n        - a\n    meta:\n        - key: 10\n          value: ""\n' +
      "    systemExtensions:\n        officialExtensions:\n            - e\n    bootloader: grub\n    secureboot:\n        enrollKeys: if-safe\n        includeWellKnownCertificates: true\n    diskImage:\n        sectorSize: 512\n",
  ));

describe("the home's schematic", () => {
  const of = (hypervisor: "truenas" | "vsphere") => ({ root: process.cwd(), cluster: testCluster({ hypervisor }), versions: testVersions });
  test.each([
    ["vsphere", "6886a62a32031814c59f70d6161bbd6ec94f666a89ea207ff034af24cb9d14f6", "vmware-installer"],
    ["truenas", "c682c3b7e2747ecadb2b2f9eb73336e40373cfbe6f7ec588336ece6f3a1059cf", "metal-installer"],
  ] as const)("on %s has the ID that the factory gave it", async (hypervisor, id, installer) => {
    const read = await readSchematic(of(hypervisor));
    expect([read.id, installerImage(of(hypervisor), read)]).toEqual([id, `factory.talos.dev/${installer}/${id}:v1.13.9`]);
    expect(idOf(read.canonical)).toBe(id);
  });

  const withText = async (text: string) => {
    const root = mkdtempSync(join(tmpdir(), "schematic-"));
    mkdirSync(join(root, "talos"));
    writeFileSync(join(root, "talos/schematic.yaml"), text);
    return readSchematic({ root, cluster: testCluster() }).then(
      ({ id }) => id,
      (error: Error) => error.message,
    );
  };
  test("that is empty is the factory's plain one", async () =>
    expect(await withText("# nothing\n")).toBe("376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"));
  test("with fields that the factory does not know is refused", async () =>
    expect(await withText("customization:\n  extraKernelArg: [a]\n  systemExtensions:\n    official: [x]\n")).toBe(
      "could not predict the ID of talos/schematic.yaml\n  said: customization.extraKernelArg: the factory knows no such field, did you mean extraKernelArgs?\n" +
        "        customization.systemExtensions.official: the factory knows no such field\n  now:  nothing was changed\n  next: fix talos/schematic.yaml",
    ));
  test("whose ID only the factory can tell is refused", async () =>
    expect(await withText('customization:\n  extraKernelArgs: ["off"]\n')).toContain('said: "off": ask the factory'));
});

describe("a schematic is read as the factory reads it", () => {
  const fixture = (name: string) => readFileSync(join("test/fixtures/schematics", name), "utf8");
  const idFor = (text: string) => schematicOf(text).then(({ id }) => id);
  test.each([
    ["null-customization.yaml", "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"],
    ["number-arg.yaml", "9d0cc97d0fe9ebc8bb3be408e71f9864eab6d670f28cdb2cd472233e8c28c45e"],
    ["meta-null.yaml", "bea7f420fc9fb6421a016a8b4a9f350c615b40c492eb4c8b86bb407b00268e49"],
    ["meta-number.yaml", "7e576661bce299afbf6e78d61b930476768ec6c38bd57f97c5f675809664ccde"],
  ])("%s", async (name, id) => expect(await idFor(fixture(name))).toBe(id));
  test("anchors and merge keys", async () =>
    expect(await idFor("customization: &x\n  bootloader: &g grub\n")).toBe(await idFor("customization:\n  <<: { bootloader: grub }\n")));
  test("an empty file is sent as an empty schematic, which the factory takes", async () =>
    expect((await schematicOf("# nothing\n")).text).toBe("customization: {}\n"));

  const refusal = (text: string) => schematicOf(text).then(String, (error: Error) => error.message);
  test.each([
    [fixture("unknown-bootloader.yaml"), 'customization.bootloader: none, dual-boot, sd-boot or grub, not "systemd-boot"'],
    ["customization: []\n", "customization: a map of fields, not a list"],
    ["- a\n", "the schematic: a map of fields, not a list"],
    ["customization:\n  extraKernelArgs: quiet\n", 'customization.extraKernelArgs: a list, not "quiet"'],
    ["customization:\n  extraKernelArgs:\n    - [a]\n", "customization.extraKernelArgs[0]: a text, not a list"],
    ["customization:\n  extraKernelArgs:\n    - a: b\n", "customization.extraKernelArgs[0]: a text, not a map"],
    ["customization:\n  extraKernelArgs:\n    - 2026-01-01\n", "a text, not the date 2026-01-01 (put it in quotes)"],
    ["customization:\n  meta:\n    - key: 256\n", "customization.meta[0].key: a whole number from 0 to 255, not 256"],
    ["customization:\n  meta:\n    - kei: 1\n", "customization.meta[0].kei: the factory knows no such field, did you mean key?"],
    ["customization:\n  diskImage:\n    sectorSize: 4k\n", 'customization.diskImage.sectorSize: a whole number, not "4k"'],
    ["customization:\n  secureboot:\n    enrollKeys: always\n", "customization.secureboot.enrollKeys: off, manual, if-safe or force"],
    [
      'customization:\n  secureboot:\n    includeWellKnownCertificates: "true"\n',
      'includeWellKnownCertificates: true or false, not "true"',
    ],
    ["owner: me\n", "owner: only the Enterprise edition of the factory takes it"],
    ["customization: {}\n---\ncustomization: {}\n", "talos/schematic.yaml:3: a second document, the factory reads only the first"],
  ])("%j is refused", async (text, said) => expect(await refusal(text)).toContain(said));
});

describe("secure boot", () => {
  const of = (hypervisor: "truenas" | "vsphere") => ({ cluster: testCluster({ hypervisor }), versions: testVersions });
  const read = () => schematicOf(readFileSync("test/fixtures/schematics/secureboot.yaml", "utf8"));
  test.each([
    ["truenas", "metal-installer-secureboot", "metal-amd64-secureboot.iso"],
    ["vsphere", "vmware-installer-secureboot", "vmware-amd64-secureboot.iso"],
  ] as const)("on %s chooses the installer and the ISO that are signed", async (hypervisor, installer, iso) => {
    const schematic = await read();
    expect(installerImage(of(hypervisor), schematic)).toBe(`factory.talos.dev/${installer}/${schematic.id}:v1.13.9`);
    expect(isoFile(hypervisor, schematic)).toBe(iso);
  });
  test.each(["", "secureboot:", "secureboot: {}", "secureboot: { includeWellKnownCertificates: false }", 'secureboot: { enrollKeys: "" }'])(
    "is not used with %j",
    async (section) => expect((await schematicOf(`customization:\n  bootloader: grub\n  ${section}\n`)).secureboot).toBe(false),
  );
});

describe("talos:schematic", () => {
  const show = async (known: () => Promise<boolean>) => {
    factory.known = known;
    const lab = await record({});
    const error = await lab.run(schematic, {});
    return { lines: lab.said[0]!.split("\n"), result: lab.results[0], error, commands: lab.commands };
  };
  const ID = "c682c3b7e2747ecadb2b2f9eb73336e40373cfbe6f7ec588336ece6f3a1059cf";
  test.each([
    ["that the factory knows", async () => true, "knows this schematic"],
    ["that the factory does not know yet", async () => false, "does not know it yet: task talos:prepare-iso hands it in"],
    [
      "although the factory cannot be asked",
      async () => Promise.reject(new Error("no route to host")),
      "could not be asked: no route to host",
    ],
  ])("shows the ID %s", async (_, known, says) => {
    const { lines, result, error, commands } = await show(known);
    expect(lines).toEqual([`schematic  ${ID}`, `installer  factory.talos.dev/metal-installer/${ID}:v1.13.9`, `factory    ${says}`]);
    expect([result, error, commands]).toEqual([expect.objectContaining({ id: ID, factory: says }), undefined, []]);
  });
});
