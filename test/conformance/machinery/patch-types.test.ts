// The table of how patches change values is what Talos' own types say. After a change of Talos' versions it is made anew:
// PRINT=1 npx vitest run --project conformance patch-types, which writes the table.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { TypeTree } from "../../../scripts/lib/talos/patch-types.ts";
import { MINORS } from "./ask.ts";
import { goTypes } from "./go-types.ts";
import { patchTypes } from "./patch-types.ts";

const FILE = join(import.meta.dirname, "../../../scripts/lib/talos/patch-types.json");

it("the product's table of types is Talos' own", () => {
  const table = JSON.parse(readFileSync(FILE, "utf8")) as TypeTree;
  const wanted = patchTypes(MINORS.map((minor) => ({ minor, types: goTypes(minor, table) })));
  if (process.env.PRINT) writeFileSync(FILE, `${JSON.stringify(wanted, undefined, 2)}\n`);
  expect(table).toEqual(wanted);
});
