// A schematic's ID, as the product predicts it and as the simulated factory answers, compared with the Image Factory's own code.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { schematicOf as ours } from "../../../scripts/lib/talos/schematic.ts";
import { readSchematic as simulated } from "../../simulators/world/talos/schematic.ts";
import { factory } from "./ask.ts";
import { schematicOf } from "./schematics.ts";

const GENERATED = 200;
const CASES = join(import.meta.dirname, "../../fixtures/schematics");
const cases = readdirSync(CASES).map((name) => readFileSync(join(CASES, name), "utf8"));
const generated = Array.from({ length: GENERATED }, (_, seed) => schematicOf(seed));

/** The product predicts no ID that depends on the factory's version. */
const NOT_PREDICTED = /ask the factory/;
/** A file without a field: the product sends an empty schematic in its place. */
const isEmpty = (text: string) => /^(#.*\n)?$/.test(text);

interface Verdict {
  schematic: string;
  theirs: string;
  got: string;
}

it.each([
  ["generated schematics", generated],
  ["every schematic that once went wrong", cases],
])("the product predicts the ID of %s, or refuses what the factory refuses", async (_what, schematics) => {
  const answers = factory(schematics);
  const wrong: Verdict[] = [];
  let predicted = 0;
  for (const [index, schematic] of schematics.entries()) {
    if (isEmpty(schematic)) continue;
    const theirs = answers[index]!.id ?? "refused";
    const got = await ours(schematic).then(
      ({ id }) => id,
      (error: Error) => (NOT_PREDICTED.test(error.message) ? "not predicted" : "refused"),
    );
    if (got === theirs) predicted += Number(theirs !== "refused");
    else if (got !== "not predicted") wrong.push({ schematic, theirs, got });
  }
  expect(wrong).toEqual([]);
  expect(predicted).toBeGreaterThanOrEqual(schematics === generated ? 25 : 1);
});

it("the simulated factory answers what the real one answers", () => {
  const schematics = [...generated, ...cases];
  const answers = factory(schematics);
  const wrong = schematics.flatMap((schematic, index) => {
    const read = simulated(schematic);
    const [theirs, got] = [answers[index]!.id ?? "refused", "error" in read ? "refused" : read.id];
    return got === theirs ? [] : [{ schematic, theirs, got, said: "error" in read ? read.error : answers[index]!.error }];
  });
  expect(wrong).toEqual([]);
});
