// What a node patch becomes, compared with Talos' own patcher for each supported version. What is sent must be what talosctl would send.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { printDocuments, valuesOf } from "../../../scripts/lib/text/yaml.ts";
import { machinery, MINORS, type Minor } from "./ask.ts";
import { patched, richConfig } from "./ours.ts";
import { patchOf } from "./patches.ts";

const GENERATED = 150;
const CASES = join(import.meta.dirname, "../../fixtures/patches");
const cases = readdirSync(CASES).map((name) => [name, readFileSync(join(CASES, name), "utf8")] as const);

/** Talos ends with a stack trace, cannot merge a type of its own, writes what it cannot read, or (1.14) does not know merge keys in some maps. */
const NOT_DONE =
  /^panic: |merge not possible|merge not implemented|^Talos cannot read its own result|unknown keys[^]*'<<':|unexpected type for yaml mapping/;

interface Difference {
  name: string;
  patch: string;
  ours: unknown;
  theirs: unknown;
}

/** The patches that the product and Talos do not make the same of, and how many Talos took. */
async function compare(minor: Minor, patches: readonly (readonly [name: string, patch: string])[]) {
  const documents = await richConfig(minor);
  const config = await printDocuments(documents);
  const [unchanged] = machinery(minor, [{ do: "read", config }]);
  expect(unchanged!.error).toBeUndefined();
  const theirs = machinery(
    minor,
    patches.map(([, patch]) => ({ do: "patch", config, patch })),
  );
  const ours = await Promise.all(patches.map(([, patch]) => patched(documents, patch, minor)));
  const read = machinery(
    minor,
    ours.map((one) => ({ do: "read", config: "text" in one ? one.text : "" })),
  );
  const differences: Difference[] = [];
  let taken = 0;
  for (const [index, [name, patch]] of patches.entries()) {
    const [their, our] = [theirs[index]!, ours[index]!];
    const got = "refused" in our ? { error: our.refused } : read[index]!;
    if (NOT_DONE.test(their.error ?? "")) continue;
    if (their.error === undefined && their.config !== unchanged!.config) taken += 1;
    const same = their.error === undefined ? got.config === their.config : got.error !== undefined;
    if (!same) differences.push({ name, patch, ours: got, theirs: their });
  }
  return { differences, taken };
}

describe.each(MINORS)("Talos 1.%i", (minor) => {
  it("makes the same of generated patches", async () => {
    const base = valuesOf(await richConfig(minor));
    const patches = Array.from({ length: GENERATED }, (_, seed) => [`seed ${seed}`, patchOf(minor, seed, base)] as const);
    const { differences, taken } = await compare(minor, patches);
    expect(differences).toEqual([]);
    expect(taken).toBeGreaterThanOrEqual(60);
  });
  it("makes the same of every patch that once arrived wrong", async () => {
    const { differences } = await compare(minor, cases);
    expect(differences).toEqual([]);
  });
});
