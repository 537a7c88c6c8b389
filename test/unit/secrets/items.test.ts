// Templates of items: nothing overwritten, nothing lost, and what shows that the vault holds what it should.
import { describe, expect, test } from "vitest";
import { differences, fieldsCalled, newItem, valueOf, withFields } from "../../../scripts/lib/secrets/items.ts";
import type { StoredItem } from "../../../scripts/lib/secrets/op.ts";
import { item } from "./fake-op.ts";

const TRICKY = 'it\'s "so" $(reboot) `x` \\ {{ y }}\nзвук\n';
const secret = (field: string, value: string) => ({ field, value, public: false });

test("a new item is this JSON", () =>
  expect(newItem("flux", [secret("TOKEN", TRICKY), { field: "HOST", value: "nas.home", public: true }])).toBe(
    JSON.stringify({
      title: "flux",
      category: "SECURE_NOTE",
      fields: [
        { type: "CONCEALED", label: "TOKEN", value: TRICKY },
        { type: "STRING", label: "HOST", value: "nas.home" },
      ],
    }),
  ));
test("a name is found whatever its case, an empty field is no value", () => {
  const flux = item("flux", { flux_token: "x", EMPTY: "" });
  expect([valueOf(flux, "FLUX_TOKEN"), valueOf(flux, "EMPTY"), valueOf(flux, "NONE"), valueOf(undefined, "ANY")]).toEqual([
    "x",
    undefined,
    undefined,
    undefined,
  ]);
  expect(fieldsCalled(flux, "EMPTY")).toHaveLength(1);
});

describe("adding fields", () => {
  const before: StoredItem & { sections: unknown[] } = {
    ...item("flux", { OLD: TRICKY, EMPTY: "" }),
    sections: [{ id: "s", label: "more" }],
  };
  const after = JSON.parse(withFields(before, [secret("EMPTY", "filled"), secret("NEW", "n")])) as typeof before;
  test("keeps what was there, to the letter", () => {
    expect(after).toMatchObject({ id: "id-of-flux", title: "flux", sections: before.sections });
    expect(after.fields?.[0]).toEqual(before.fields?.[0]);
  });
  test("fills an empty field where it stands", () =>
    expect(after.fields?.[1]).toEqual({ id: "id-of-EMPTY", type: "CONCEALED", label: "EMPTY", value: "filled" }));
  test("appends the others", () => expect(after.fields?.[2]).toEqual({ type: "CONCEALED", label: "NEW", value: "n" }));
  test("never overwrites", () => expect(() => withFields(before, [secret("old", "x")])).toThrow("old of item flux would be overwritten"));
});

describe("afterwards", () => {
  const before = item("flux", { OLD: "o" });
  test("all is well when all is there", () =>
    expect(differences(before, [secret("NEW", "n")], item("flux", { OLD: "o", NEW: "n" }))).toEqual([]));
  test("what did not arrive, or arrived changed, is named", () =>
    expect(differences(undefined, [secret("A", "a\n"), secret("B", "b")], item("flux", { A: "a" }))).toEqual(["A", "B"]));
  test("what went away, or was changed, is named", () => {
    expect(differences(before, [], item("flux", {}))).toEqual(["OLD"]);
    expect(differences(before, [], item("flux", { OLD: "other" }))).toEqual(["OLD"]);
  });
});
