// What the tree asks of 1Password: every item and field is one that secrets:init makes or asks a person for, under the name that this home gives the item.
import { expect, it } from "vitest";
import { knownEntries } from "../../../scripts/lib/secrets/tree.ts";
import { ourHome } from "./home.ts";
import { type Any, namespaceOf, ofKind, substituted, TREE } from "./tree.ts";

const known = new Set((await knownEntries(process.cwd(), ourHome())).map(({ item, field }) => `${item} ${field}`));
const SECRETS = ofKind("ExternalSecret", "external-secrets.io").map((one) => ({ ...one, object: substituted(one.object) as Any }));

/** The fields that a template takes: `.KOPIA_PASSWORD`. */
const fieldsOf = (data: Record<string, string>) =>
  Object.values(data).flatMap((text) => [...text.matchAll(/\.([A-Z][A-Z0-9_]*)\b/g)].map(([, field]) => field!));

it("is something", () => {
  expect(SECRETS.length).toBeGreaterThan(10);
});

it.each(SECRETS.map((one) => [`${one.file} ${one.name}`, one.object.spec] as const))("%s", (_name, spec) => {
  const from = ((spec.dataFrom ?? []) as Any[]).flatMap(({ extract }) => (extract ? [extract.key as string] : []));
  for (const item of from)
    expect(
      [...known].some((one) => one.startsWith(`${item} `)),
      item,
    ).toBe(true);
  for (const field of fieldsOf(spec.target?.template?.data ?? {}))
    expect(
      from.some((item) => known.has(`${item} ${field}`)),
      `${field} of ${from.join(" or ")}`,
    ).toBe(true);
  for (const { remoteRef } of (spec.data ?? []) as Any[])
    expect(known, `${remoteRef.key} ${remoteRef.property}`).toContain(`${remoteRef.key} ${remoteRef.property}`);
});

it("no whole item lands in a Secret: a field that is added in 1Password goes nowhere by itself", () => {
  const whole = SECRETS.filter(({ object }) => !object.spec.target?.template?.data && !object.spec.data).map(({ file }) => file);
  expect(whole).toEqual(["kubernetes/apps/network/certificates-import/app/externalsecret.yaml"]); // a certificate and its key, which the cluster put there
});

it("an item is named by its setting: a home may call it as it likes", () => {
  for (const { file, object } of ofKind("ExternalSecret", "external-secrets.io"))
    for (const { extract } of (object.spec.dataFrom ?? []) as Any[]) expect(extract.key, file).toMatch(/^\$\{ITEM_[A-Z_]+:=[a-z-]+\}$/);
});

it("no Secret takes from two items: one that a home does not have would take the other with it", () => {
  for (const { file, name, object } of SECRETS) expect((object.spec.dataFrom ?? []).length, `${file} ${name}`).toBeLessThanOrEqual(1);
});

it("the store serves the namespaces that use it, and no others: a new one is added to its conditions", () => {
  const [store] = ofKind("ClusterSecretStore", "external-secrets.io");
  const users = [...SECRETS, ...ofKind("PushSecret", "external-secrets.io")].filter(({ file }) => file.startsWith("kubernetes/apps/"));
  const components = TREE.filter(
    ({ kind, object }) => kind === "Kustomization" && JSON.stringify(object.spec?.components ?? []).includes("components/volsync"),
  );
  expect(store!.object.spec.conditions).toEqual([
    { namespaces: [...new Set([...users, ...components].map(({ file }) => namespaceOf(file)))].toSorted() },
  ]);
});
