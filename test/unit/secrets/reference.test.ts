// What may be a reference, and what is refused before op sees it.
import { expect, test } from "vitest";
import { parseReference, refuseMalformed } from "../../../scripts/lib/secrets/reference.ts";

test("three parts are vault, item, field", () =>
  expect(parseReference("op://Infrastructure/talos/CLUSTER_ID")).toEqual({ vault: "Infrastructure", item: "talos", field: "CLUSTER_ID" }));
test("four parts have a section", () =>
  expect(parseReference("op://Infrastructure/esxi/add more/host")).toEqual({
    vault: "Infrastructure",
    item: "esxi",
    section: "add more",
    field: "host",
  }));
test("a query belongs to no name", () =>
  expect(parseReference("op://v/login/one-time password?attribute=otp").field).toBe("one-time password"));

test.each([
  ["op://v/i", `"op://v/i" is no reference: op://vault/item/field or op://vault/item/section/field`],
  ["op://a/b/c/d/e", `"op://a/b/c/d/e" is no reference: op://vault/item/field or op://vault/item/section/field`],
  ["talos/CLUSTER_ID", `"talos/CLUSTER_ID" is no reference: it starts with op://`],
  ["op://v//f", `"op://v//f" is no reference: a part of it is empty`],
  [
    "op://v/it's/f",
    `"op://v/it's/f" is no reference: "it's" has ' in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`,
  ],
  [
    'op://v/say "so"/f',
    `"op://v/say \\"so\\"/f" is no reference: "say "so"" has " in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`,
  ],
  [
    "op://v/$(id)/f",
    `"op://v/$(id)/f" is no reference: "$(id)" has $ ( ) in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`,
  ],
  [
    "op://v/a}} {{ op:/f",
    `"op://v/a}} {{ op:/f" is no reference: "a}} {{ op:" has } { : in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`,
  ],
  [
    "op://v/i/line\nbreak",
    `"op://v/i/line\\nbreak" is no reference: "line\nbreak" has \n in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`,
  ],
])("%j is refused", (text, message) => expect(() => parseReference(text)).toThrow(message));

test("everything that is wrong is named at once", () =>
  expect(() => refuseMalformed(["op://v/i/f", "op://v", "nothing"])).toThrow(
    '"op://v" is no reference: op://vault/item/field or op://vault/item/section/field\n"nothing" is no reference: it starts with op://',
  ));
