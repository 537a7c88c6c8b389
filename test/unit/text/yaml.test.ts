// YAML with references: values take their place in the parsed document and cannot break it.
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { parseDocuments, printDocuments, referencesOf, withValues } from "../../../scripts/lib/text/yaml.ts";

const REF = "op://vault/item/field";

test("documents are split, empty ones left out", async () =>
  expect(await parseDocuments("---\n# nothing\n---\na: 1\n---\n", "x.yaml")).toEqual([{ a: 1 }]));
test("nothing at all is no document", async () => expect(await parseDocuments("", "x.yaml")).toEqual([]));
test("a mistake names the file and the line", async () =>
  expect(await parseDocuments("a: 1\nb: [1\n", "talos/x.yaml").catch((error: Error) => error.message)).toMatch(
    /^could not read talos\/x.yaml as YAML\n {2}said: .* at line 3, column 1/,
  ));
test.each([
  ["a: 1\nb: *none\n", "*none: no anchor &none stands above it"],
  ["a: 1\nb: &b [*b]\n", "*b: stands inside its own anchor &b"],
  ["a: &a 1\n---\nb: *a\n", "*a: no anchor &a stands above it"],
])("an alias that cannot be read names the file and the line: %j", async (text, message) => {
  const said = await parseDocuments(text, "talos/x.yaml").catch((error: Error) => error.message);
  expect(said).toContain("could not read talos/x.yaml as YAML");
  expect(said).toContain(message);
  expect(said).toMatch(/ at line [23]$/m);
});
test("a key that stands twice is a mistake", async () =>
  expect(await parseDocuments("a: 1\na: 2\n", "x").catch((error: Error) => error.message)).toMatch(/Map keys must be unique at line 2/));

describe("references", () => {
  test("are gathered once each, in order", () =>
    expect(referencesOf([{ a: REF, b: ["op://vault/item/two", REF] }, { c: 1 }])).toEqual([REF, "op://vault/item/two"]));
  test("in the middle of a text are refused", () =>
    expect(() => withValues({ a: { b: [`https://${REF}`] } }, new Map())).toThrow(
      `a.b[0]: a reference must be the whole value: https://${REF}`,
    ));
  test("without a value are an error", () => expect(() => withValues({ a: REF }, new Map())).toThrow(`a: ${REF} was not resolved`));
  test("leave everything else as it is", () =>
    expect(withValues({ a: 1, b: null, c: [true, "x"], d: {} }, new Map())).toEqual({ a: 1, b: null, c: [true, "x"], d: {} }));
});

describe("a value", () => {
  const hostile = [
    "true",
    "null",
    "0o17",
    "012",
    "1e3",
    "yes",
    "on",
    "1:30",
    "- a",
    "a: b",
    "# no",
    "{{ x }}",
    "*alias",
    "&anchor",
    "!tag",
    "'",
    '"',
    "a #b",
    " lead",
    "trail ",
    "",
    "~",
    "---",
    "...",
    "a\nb",
    "a\n\nb\n",
    "\n",
    "a\tb",
    "x: |\n  y\n",
    "%TAG",
    "@at",
    "`tick",
    "é🚀",
    "\u0000\u0007",
    "-----BEGIN X-----\nabc\n-----END X-----\n",
    "<<",
    "=",
    "op://a/b/c",
    "$HOME $(id)",
    "x".repeat(300),
  ];
  test.each(hostile)("%j stays that text", async (value) => {
    const text = await printDocuments([withValues({ machine: { token: REF, after: 1 } }, new Map([[REF, value]]))]);
    expect(parse(text)).toEqual({ machine: { token: value, after: 1 } });
    expect(parse(text, { version: "1.1" })).toEqual({ machine: { token: value, after: 1 } });
  });
});

test("printing is the same for the same documents, whatever they share", async () => {
  const shared = { b: 1 };
  expect(await printDocuments([{ a: shared, c: shared }, { d: 2 }])).toBe("a:\n  b: 1\nc:\n  b: 1\n---\nd: 2\n");
});
