import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultsOf, regExpOf, type Schema, unreadKeywords } from "../../../scripts/lib/lint/schemas/check.ts";
import { SCHEMAS, schemaPath } from "../../../scripts/lib/lint/schemas/find.ts";
import { toJavaScript } from "../../../scripts/lib/lint/schemas/patterns.ts";
import { patternsOf } from "../../../scripts/lib/lint/schemas/validators.ts";

const ALL = readdirSync(SCHEMAS, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".json"))
  .map((name) => [name, JSON.parse(readFileSync(join(SCHEMAS, name), "utf8")) as Schema] as const);

describe("the vendored schemas", () => {
  it("have no keyword that is not read", () =>
    expect(ALL.flatMap(([name, schema]) => unreadKeywords(schema).map((word) => `${name} ${word}`))).toEqual([]));
  it("have no pattern that JavaScript cannot read", () => {
    expect(
      ALL.flatMap(([name, schema]) =>
        patternsOf(schema)
          .filter((one) => !regExpOf(one))
          .map((one) => `${name} ${one}`),
      ),
    ).toEqual([]);
    expect(ALL.length).toBeGreaterThan(300);
  });
  it("stand where their kind says", () => {
    expect(schemaPath({ apiVersion: "apps/v1", kind: "Deployment" }, "v1.36.5")).toBe("kubernetes/v1.36.5/deployment_apps_v1.json");
    expect(schemaPath({ apiVersion: "v1", kind: "Service" }, "v1.36.5")).toBe("kubernetes/v1.36.5/service_v1.json");
    expect(schemaPath({ apiVersion: "example.com/v1", kind: "Thing" }, "v1.36.5")).toBe("crds/example.com/thing_v1.json");
  });
});

describe("a pattern of Go", () => {
  const fits = (pattern: string, ...texts: string[]) => texts.map((text) => new RegExp(toJavaScript(pattern), "u").test(text));
  it("that ignores case does so to the end of its group", () => {
    expect(fits("^(?i)(abort|warn)?$", "WARN", "Abort", "", "warned")).toEqual([true, true, true, false]);
    expect(fits("^((?i)sun|mon)day$", "SUNday", "sunDAY", "MONday")).toEqual([true, false, true]);
    expect(fits("^(?i:[a-f]+)x$", "ABCx", "abcX")).toEqual([true, false]);
  });
  it("that names a class by one letter, an end or a group", () => {
    expect(fits("^\\PC*$", "text", "a\u0000b")).toEqual([true, false]);
    expect(fits("\\A\\pL+\\z", "Äß", "a1")).toEqual([true, false]);
    expect(fits("^(?P<year>\\d{4})\\-x$", "2026-x")).toEqual([true]);
  });
  it("that JavaScript has too stays as it is", () => expect(toJavaScript("^[a-z]+$")).toBe("^[a-z]+$"));
  it("that nobody can translate is refused", () => expect(() => toJavaScript("(?s)a.b")).toThrow('"(?s)" has no counterpart'));
});

describe("a value", () => {
  const told = (schema: Schema, value: unknown) =>
    faultsOf(schema, value).map(({ path, message }) => `${path.join(".")} ${message}`.trim());
  it("is told where it is wrong, all at once", () =>
    expect(
      told(
        {
          type: "object",
          required: ["a"],
          additionalProperties: false,
          properties: { b: { type: "array", items: { type: "integer" } }, c: { enum: ["x", "y"] } },
        },
        { b: [1, "2"], c: "z", d: 1 },
      ),
    ).toEqual(["lacks a", "b.1 must be integer", "c must be one of x, y", "d is no field of this kind"]));
  it("of no alternative is told by the one that comes closest", () =>
    expect(told({ anyOf: [{ type: "string" }, { type: "object", required: ["a", "b"] }] }, {})).toEqual(["must be string"]));
  it("may be null where the schema says so", () => {
    expect(told({ type: "string", nullable: true }, null)).toEqual([]);
    expect(told({ type: ["string", "null"] }, null)).toEqual([]);
    expect(told({ type: "string" }, null)).toEqual(["must be string"]);
  });
});
