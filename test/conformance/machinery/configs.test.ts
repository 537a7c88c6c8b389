// The machine configs that the product renders are valid, strictly, for every Talos that it deploys; and the simulated talosctl refuses what Talos refuses.
import { describe, expect, it } from "vitest";
import { printDocuments, valuesOf } from "../../../scripts/lib/text/yaml.ts";
import { loadDocuments, validate } from "../../simulators/world/talos/machine-config.ts";
import { machinery, MINORS, type Minor } from "./ask.ts";
import { homeConfig, patched, richConfig } from "./ours.ts";
import { patchOf } from "./patches.ts";

const GENERATED = 150;
const BY_SCHEMA = /cannot (construct|unmarshal) !!|unknown keys|arg value must be/;

/** Values of another type than the field's; a list as an argument is right from 1.13 on. */
const WRONG: [what: string, text: (home: string) => string][] = [
  ["a list as a sysctl", (home) => home.replace("  sysctls:\n", "  sysctls:\n    a.list: [1]\n")],
  ["a map as a sysctl", (home) => home.replace("  sysctls:\n", "  sysctls:\n    a.map: { b: 1 }\n")],
  ["sysctls that are a list", (home) => home.replace(/ {2}sysctls:\n( {4}.*\n)+/, "  sysctls: [a]\n")],
  ["a map as an argument", (home) => home.replace(/( {2}apiServer:\n(?: {4}.*\n)*? {4}extraArgs:\n)/, "$1      a.map: { b: c }\n")],
  ["a list as an argument", (home) => home.replace(/( {2}apiServer:\n(?: {4}.*\n)*? {4}extraArgs:\n)/, "$1      a.list: [b, c]\n")],
  ["a misspelt field", (home) => home.replace("  kubelet:\n", "  kubelt: {}\n  kubelet:\n")],
  ["a map where a list stands", (home) => home.replace(/ {2}certSANs:\n( {4}.*\n)+/, "  certSANs: { a: b }\n")],
  ["a list where a text stands", (home) => home.replace("version: v1alpha1\n", "version: [v1alpha1]\n")],
];

describe.each(MINORS)("Talos 1.%i", (minor) => {
  it.each(["truenas", "vsphere"] as const)("takes the config of a home on %s, strictly and without a warning", async (hypervisor) => {
    const config = await printDocuments(await homeConfig(minor, hypervisor));
    expect(machinery(minor, [{ do: "validate", config, strict: true }])).toEqual([{}]);
    expect(standIn(config, minor)).toBeUndefined();
  });

  it("takes nothing that the simulated talosctl refuses", async () => {
    const base = await richConfig(minor);
    const values = valuesOf(base);
    const made = await Promise.all(Array.from({ length: GENERATED }, (_, seed) => patched(base, patchOf(minor, seed, values), minor)));
    const configs = made.flatMap((one) => ("text" in one ? [one.text] : []));
    const answers = machinery(
      minor,
      configs.map((config) => ({ do: "read", config })),
    );
    const refused = configs
      .map((config) => loadError(config, minor))
      .filter((error, index) => error && answers[index]!.error === undefined);
    expect(refused).toEqual([]);
  });

  it.each(WRONG)("refuses %s, as the simulated talosctl does", async (what, text) => {
    const config = text(await printDocuments(await homeConfig(minor)));
    const [{ error: theirs } = {}] = machinery(minor, [{ do: "read", config }]);
    const ours = loadError(config, minor);
    if (what === "a list as an argument" && minor > 12) expect([theirs, ours]).toEqual([undefined, undefined]);
    else {
      expect(theirs).toMatch(BY_SCHEMA);
      expect(ours).toMatch(BY_SCHEMA);
    }
  });
});

it("Talos 1.14 finds files deprecated, and so does the simulated talosctl in strict mode", async () => {
  const config = await printDocuments(await homeConfig(13));
  const [theirs] = machinery(14, [{ do: "validate", config, strict: true }]);
  expect(theirs!.error).toContain("warning: .machine.files is deprecated");
  expect(standIn(config, 14)).toContain("warning: .machine.files is deprecated");
});

function loadError(config: string, minor: Minor): string | undefined {
  const loaded = loadDocuments(config, minor);
  return "error" in loaded ? loaded.error : undefined;
}

function standIn(config: string, minor: Minor): string | undefined {
  const loaded = loadDocuments(config, minor);
  return "error" in loaded ? loaded.error : validate(loaded.documents, { minor, strict: true });
}
