// The schema for editors: made from the definition that validates, and of one mind with it about good files.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { clusterSchema, lintClusterSchema, secretSourcesSchema } from "../../../scripts/lint/cluster-schema.ts";
import { record } from "../recorder.ts";
import { clusterCase } from "./cases.ts";

const schema = JSON.parse(await clusterSchema()) as Record<string, unknown>;
const validate = new Ajv({ allErrors: true }).compile(schema);
const errors = (text: string) =>
  validate(parse(text)) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);

test("the file in the repository is the one that task lint:cluster-schema writes", async () =>
  expect(readFileSync("talos/cluster.schema.json", "utf8")).toBe(await clusterSchema()));
test("so is the schema of secret-sources.yaml", async () =>
  expect(readFileSync("kubernetes/secret-sources.schema.json", "utf8")).toBe(await secretSourcesSchema()));
test.each([
  "talos/cluster.yaml",
  ...["minimal", "reference", "single-node", "vsphere"].map((name) => `test/fixtures/cluster/good/${name}.yaml`),
])("%s is good in an editor too", (file) => expect(errors(readFileSync(file, "utf8"))).toEqual([]));
test.each([
  ["malformed-mac", ["/nodes/0/mac must match pattern"]],
  ["malformed-cidr", ["/network/pods must match pattern"]],
  ["wrong-units", ["/vm/memory must match pattern", "/vm/dataDisk must be string"]],
  ["name-that-truenas-refuses", ["/nodes/0/name must match pattern"]],
  ["unknown-hypervisor", ["/hypervisor must be equal to one of the allowed values"]],
  ["unknown-key-near", ["/truenas must have required property 'bridge'", "/truenas must NOT have additional properties"]],
  ["no-control-planes", ["/nodes must NOT have fewer than 1 items"]],
])("an editor shows what is wrong in %s", (name, wanted) => {
  const found = errors(clusterCase(name).text);
  expect(found).toHaveLength(wanted.length);
  expect(found.map((line, index) => line.slice(0, wanted[index]!.length))).toEqual(wanted);
});
test("every field has a sentence for whoever hovers over it", () => expect(undescribed(schema)).toEqual([]));

interface Described {
  description?: string;
  properties?: Record<string, Described>;
  items?: Described;
}
const undescribed = ({ properties = {}, items }: Described, at = ""): string[] => [
  ...Object.entries(properties).flatMap(([key, one]) => [...(one.description ? [] : [`${at}${key}`]), ...undescribed(one, `${at}${key}.`)]),
  ...(items?.properties ? undescribed(items, at) : []),
];

test("the procedure writes the file once, and then has nothing to do", async () => {
  const root = mkdtempSync(join(tmpdir(), "home-"));
  try {
    for (const folder of ["talos", "kubernetes"]) mkdirSync(join(root, folder));
    const lab = await record({ root });
    await lab.run(lintClusterSchema, {});
    await lab.run(lintClusterSchema, {});
    expect(readFileSync(join(root, "talos/cluster.schema.json"), "utf8")).toBe(await clusterSchema());
    expect(lab.plans).toHaveLength(1);
    expect(readFileSync(join(root, "kubernetes/secret-sources.schema.json"), "utf8")).toBe(await secretSourcesSchema());
    expect(lab.said).toEqual([
      "talos/cluster.schema.json was written",
      "kubernetes/secret-sources.schema.json was written",
      "the JSON schemas are up to date",
    ]);
    const dry = await record({ root: join(root, "elsewhere"), dryRun: true });
    expect(await dry.run(lintClusterSchema, {})).toMatchObject({ name: "Stop", pending: true });
    expect(dry.effects).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
