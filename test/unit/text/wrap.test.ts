// Lines that fit the terminal, and lose nothing.
import { expect, it } from "vitest";
import { widthOf, wrap } from "../../../scripts/lib/text/wrap.ts";

it("breaks at spaces, indents what follows below its beginning, and loses no word", () => {
  const line = `  wave 2: ${Array.from({ length: 30 }, (_, index) => `ns/app-${index}`).join(", ")}`;
  const lines = wrap(line, 40).split("\n");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
  expect(lines[0]).toMatch(/^ {2}wave 2: /);
  expect(lines.slice(1).every((one) => /^ {4}\S/.test(one))).toBe(true);
  expect(lines.join(" ").split(/\s+/)).toEqual(line.split(/\s+/));
});
it("leaves short lines and words without a space alone", () => {
  expect(wrap(`a b\n${"x".repeat(90)}`, 40)).toBe(`a b\n${"x".repeat(90)}`);
  expect(wrap(`  ${"x".repeat(50)} tail`, 40)).toBe(`  ${"x".repeat(50)}\n    tail`);
});
it("takes 80 where there is no terminal", () => expect([widthOf({}), widthOf({ columns: 120 })]).toEqual([80, 120]));
