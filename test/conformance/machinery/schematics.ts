// Schematics that people could write, made by seed from the fields that the factory knows, with values of right and wrong types.
import { random } from "../random.ts";

type Pick = (below: number) => number;

const TEXTS = [
  "quiet", "-selinux", "3", "1.10", "0644", "true", '"true"', "", "~", "'a b'", "console=ttyS0,115200", "a:b", '"a: b"', "'#x'", "1_000", "0x1F", "2024-01-01",
  '"0"', "no", "12:30", "[a]", "{ a: b }", '"tab\\there"',
]; // prettier-ignore
const NUMBERS = ["10", "0", "255", "256", "0644", "", '"10"', "-1", "1.5", "0x0a", "4_096", "x"];
const FLAGS = ["true", "false", "yes", "off", "", "True", '"true"', "1"];

/** One schematic as text, always the same for a seed. */
export function schematicOf(seed: number): string {
  const pick = random(seed * 2246822519 + 7);
  pick(2);
  if (pick(20) === 0) return ["", "# nothing yet\n", "customization:\n", "{}\n", "- a\n", "customization: []\n", "owner: me\n"][pick(7)]!;
  const customization = [extraKernelArgs, meta, extensions, bootloader, secureboot, diskImage, embedded].flatMap((write) =>
    pick(3) === 0 ? write(pick) : [],
  );
  const unknown = pick(25) === 0 ? ["  extension: []"] : [];
  const overlay = pick(6) === 0 ? [`overlay:`, `  name: ${from(pick, TEXTS)}`, `  image: siderolabs/sbc-raspberrypi`] : [];
  return `${[...overlay, "customization:", ...customization, ...unknown].join("\n")}\n`;
}

const from = (pick: Pick, words: readonly string[]) => words[pick(words.length)]!;

function list(pick: Pick, name: string, indent: string): string[] {
  if (pick(10) === 0) return [`${indent}${name}: ${from(pick, ["", "[]", "text", "{}"])}`];
  const items = Array.from({ length: 1 + pick(3) }, () => `${indent}  - ${from(pick, TEXTS)}`);
  return [`${indent}${name}:${pick(3) === 0 ? " &list" : ""}`, ...items];
}

const extraKernelArgs = (pick: Pick) => list(pick, "extraKernelArgs", "  ");
const extensions = (pick: Pick) => ["  systemExtensions:", ...list(pick, "officialExtensions", "    ")];
const embedded = (pick: Pick) => [`  embeddedMachineConfiguration: ${from(pick, ["|\n    a: 1\n    b: 2", ...TEXTS])}`];
const bootloader = (pick: Pick) => [
  `  bootloader: ${from(pick, ["none", "dual-boot", "sd-boot", "grub", "", "systemd-boot", "auto", "GRUB", "[grub]"])}`,
];
const diskImage = (pick: Pick) => ["  diskImage:", `    sectorSize: ${from(pick, NUMBERS)}`];
const meta = (pick: Pick) => [
  "  meta:",
  ...Array.from({ length: 1 + pick(2) }, () => [
    `    - key: ${from(pick, NUMBERS)}`,
    ...(pick(4) ? [`      value: ${from(pick, TEXTS)}`] : []),
  ]).flat(),
];
const secureboot = (pick: Pick) => [
  "  secureboot:",
  ...(pick(2) ? [`    includeWellKnownCertificates: ${from(pick, FLAGS)}`] : []),
  ...(pick(2) ? [`    enrollKeys: ${from(pick, ["manual", "if-safe", "force", "", '""'])}`] : []),
];
