import { describe, expect, test } from "vitest";
import { readJson, readJsonStream, readYaml, Unreadable } from "../../../scripts/lib/run/tool-output.ts";

const source = { command: "kubectl get nodes --output json" };
const LIST = { items: [{ metadata: { name: "" } }] } as const;
const messageOf = (text: string, from: { command: string; secret?: boolean } = source) => {
  try {
    readJson(text, from, LIST);
  } catch (error) {
    expect(error).toBeInstanceOf(Unreadable);
    return (error as Error).message;
  }
  throw new Error("it was read");
};
const LEAD = "could not read the output of `kubectl get nodes --output json`: ";

describe("an answer that is not the expected JSON is one line with the command and its first words", () => {
  const long = JSON.stringify({ items: [{ metadata: { name: "x".repeat(4100) } }] });
  test.each([
    ["empty", "", "it is empty"],
    ["only blank lines", " \n\n", "it is empty"],
    ["a warning before the data", 'WARNING: x\n{"items":[]}', 'it is not JSON: "WARNING: x {"items":[]}"'],
    ["an HTML page", `<!DOCTYPE html>\n<html><body>${"502 ".repeat(40)}`, /^it is not JSON: "<!DOCTYPE html> <html><body>502 .*…"$/],
    ["cut off inside a text", long.slice(0, 4000), /^it is cut off after 4000 characters: "…x{60}"$/],
    ["cut off between two values", '{"items":[{"metadata":{"name":"a"}},', /^it is cut off after 36 characters: "…/],
    ["more text after the data", '{"items":[]}\nWarning: y', /Warning: y"$/],
    ["broken in the middle", '{"items":[}]}', /^it is not JSON from character \d+ on: "/],
    ["null", "null", "it is null, not an object"],
    ["a list in place of an object", "[]", "it is a list, not an object"],
    ["a text", '"yes"', "it is a string, not an object"],
    ["without the expected key", '{"kind":"Status"}', ".items is missing, not a list"],
    ["null in place of the list", '{"items":null}', ".items is null, not a list"],
    [
      "an element of another shape",
      '{"items":[{"metadata":{"name":"a"}},{"metadata":{}}]}',
      ".items[1].metadata.name is missing, not a string",
    ],
    ["a number in place of a name", '{"items":[{"metadata":{"name":5}}]}', ".items[0].metadata.name is a number, not a string"],
  ])("%s", (_what, text, expected) => {
    const message = messageOf(text);
    expect(message.startsWith(LEAD)).toBe(true);
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(250);
    const rest = message.slice(LEAD.length);
    if (typeof expected === "string") expect(rest).toBe(expected);
    else expect(rest).toMatch(expected);
  });

  test("an answer that holds secrets is not quoted", () => {
    for (const text of ["hunter2 is no JSON", '{"password":"hunter2', '{"items":[}, "hunter2"]}'])
      expect(messageOf(text, { ...source, secret: true })).not.toContain("hunter2");
  });
});

test("what fits is returned as it is", () =>
  expect(readJson('{"items":[{"metadata":{"name":"a"},"more":1}]}', source, LIST)).toEqual({
    items: [{ metadata: { name: "a" }, more: 1 }],
  }));

describe("a stream of documents", () => {
  test("is read one by one", () =>
    expect(readJsonStream('{\n  "a": {\n    "b": "}"\n  }\n}\n{\n  "a": {}\n}\n', source, { a: {} })).toEqual([
      { a: { b: "}" } },
      { a: {} },
    ]));
  test("without any is an empty list", () => expect(readJsonStream(" \n", source, {})).toEqual([]));
  test("with other words before, between, after, or cut off, is not read", () => {
    for (const text of ["warning: x\n{\n}\n", "{\n}\nwarning: x\n{\n}\n", "{\n}\nwarning: x\n", '{\n  "a": "b', "null\n"])
      expect(() => readJsonStream(text, source, {})).toThrow(Unreadable);
  });
});

describe("YAML", () => {
  test("gives its documents without empty ones", async () =>
    expect(await readYaml("a: 1\n---\n---\nb: 2\n", source)).toEqual([{ a: 1 }, { b: 2 }]));
  test.each(["<html>\n<body>x", "- a", "a: b: c", "a: [1, 2", "error: x\n  y: z"])("%j is refused in one line", async (text) => {
    const message = await readYaml(text, source).catch((error: unknown) => (error as Error).message);
    expect(message).toMatch(/^could not read the output of `kubectl get nodes --output json`: it is not (YAML|a YAML map).*$/);
  });
});
