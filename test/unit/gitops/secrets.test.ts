// What the cluster asks 1Password for, against the catalogue by which a home is told what to put there.
import { expect, it } from "vitest";
import { ITEM_NAMES } from "../../../scripts/lib/cluster/cluster.ts";
import { CATALOGUE } from "../../../scripts/lib/secrets/catalogue.ts";
import { type Any, ofKind, substituted } from "./tree.ts";

const KNOWN = new Map<string, Set<string>>();
for (const { item, field } of CATALOGUE) KNOWN.set(ITEM_NAMES[item], (KNOWN.get(ITEM_NAMES[item]) ?? new Set()).add(field));

interface Asked {
  file: string;
  items: string[];
  fields: string[];
}

/** Items that an ExternalSecret reads, and the fields that its template takes from them. */
const ASKED: Asked[] = ofKind("ExternalSecret", "external-secrets.io").map(({ file, object }) => {
  const { dataFrom = [], data = [], target } = substituted(object).spec as Any;
  const items = [...dataFrom.map((one: Any) => one.extract.key), ...data.map((one: Any) => one.remoteRef.key)] as string[];
  const templates = Object.values((target?.template?.data ?? {}) as Record<string, string>);
  const fields = templates.flatMap((text) =>
    [...text.matchAll(/\{\{.*?\}\}/gs)].flatMap(([part]) => [...part.matchAll(/\.([A-Za-z]\w+)/g)].map(([, field]) => field!)),
  );
  return { file, items, fields };
});

it("every item and field that an ExternalSecret takes is in the catalogue", () => {
  expect(ASKED.length).toBeGreaterThan(10);
  for (const { file, items, fields } of ASKED) {
    for (const item of items) expect([...KNOWN.keys()], file).toContain(item);
    for (const field of fields)
      expect(
        items.some((item) => KNOWN.get(item)?.has(field)),
        `${file}: ${field}`,
      ).toBe(true);
  }
});

it("no whole item lands in a Secret: a field that is added in 1Password goes nowhere by itself", () => {
  const whole = ASKED.filter(({ fields }) => fields.length === 0).map(({ file }) => file);
  expect(whole).toEqual(["kubernetes/apps/network/certificates/import/externalsecret.yaml"]); // a certificate and its key, which the cluster put there
});

it("an application's Secret is called after it, in the names that its program reads", () => {
  for (const { file, object } of ofKind("ExternalSecret", "external-secrets.io")) {
    const { name, template } = object.spec.target;
    expect(name, file).toMatch(/-(secret|tls)$|^rook-ceph-dashboard-password$/); // Rook expects that name
    for (const key of Object.keys((template?.data ?? {}) as object)) expect(key, file).toMatch(/^[\w.-]+$/);
  }
});
