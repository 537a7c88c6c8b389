// A decision is recorded for every value of Talos' machine configs that could hold a secret. A new Talos schema fails here until somebody has decided.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { secrecyAt } from "../../../scripts/lib/talos/secret-paths.ts";
import { type Leaf, leavesOf } from "./schema-leaves.ts";

const SCHEMAS = "test/schemas/talos";
const FIXTURE = "test/fixtures/talos/secret-paths.yaml";

/** `shown`: reviewed, and no secret. */
type Decision = "secret" | "free" | "shown";
const DECISIONS: Record<string, Record<string, Decision>> = parse(readFileSync(FIXTURE, "utf8"));

const leaves = new Map<string, Leaf>();
for (const file of readdirSync(SCHEMAS).filter((name) => name.endsWith(".json")))
  for (const leaf of leavesOf(JSON.parse(readFileSync(join(SCHEMAS, file), "utf8")))) leaves.set(`${leaf.kind} ${leaf.path}`, leaf);

/** Words of a key that make somebody look: a secret, what belongs to one, or a text that a person fills in freely. */
const SUSPICIOUS =
  /^(?:(?:secret|password|passphrase|token|key|credential|header|manifest|content|variable|overrid|param|arg|cert|url)\w*|passwd|psk|private|preshared|auth|authentication|identity|crt|ca|cas|pem|data|config|configuration|env|environment|webhook|endpoint|entrypoint|pods?|user|username|value)$/i;
const wordsOf = (path: string) => path.replace(/([a-z0-9])([A-Z])/g, "$1.$2").split(".");
/** A map whose keys are free, or an object that the schema does not describe, can hold anything. */
const isCandidate = ({ path, holdsText }: Leaf) => holdsText && (/\*/.test(path) || wordsOf(path).some((word) => SUSPICIOUS.test(word)));

const decided = Object.entries(DECISIONS).flatMap(([kind, paths]) =>
  Object.entries(paths).map(([path, decision]) => ({ kind, path, decision })),
);
const decidedNames = new Set(decided.map(({ kind, path }) => `${kind} ${path}`));
const undecided = (all: Iterable<Leaf>) =>
  [...all]
    .filter((leaf) => isCandidate(leaf))
    .map(({ kind, path }) => `${kind} ${path}`)
    .filter((name) => !decidedNames.has(name));

test("every value that could hold a secret is decided: add it to the fixture as secret, free or shown", () =>
  expect(undecided(leaves.values())).toEqual([]));
test("the fixture names only values that a schema has", () => expect([...decidedNames].filter((name) => !leaves.has(name))).toEqual([]));
test("a value that a new schema brings is reported", () =>
  expect(
    undecided([
      { kind: "NewConfig", path: "peer.sharedKey", holdsText: true },
      { kind: "NewConfig", path: "size", holdsText: true },
    ]),
  ).toEqual(["NewConfig peer.sharedKey"]));

test("the mask does what was decided", () => {
  const masked = (kind: string, path: string) => {
    const keys = path.split(".").map((key) => (key === "*" ? "anything" : key));
    return secrecyAt(kind === "v1alpha1" ? {} : { kind }, keys) ?? "shown";
  };
  expect(decided.map(({ kind, path }) => ({ kind, path, decision: masked(kind, path) }))).toEqual(decided);
});
