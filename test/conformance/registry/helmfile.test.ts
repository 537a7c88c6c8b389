// The real helmfile with the files of bootstrap/helmfile.d as they are, against its stand-in.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { openRealTools, type RealTools, type Said } from "./real.ts";

let tools: RealTools;
beforeAll(async () => void (tools = await openRealTools()));
afterAll(() => tools?.close());
afterEach(() => tools.fault("registry-flaps", 0));

const CRDS = ["--file", "bootstrap/helmfile.d/00-crds.yaml", "--quiet", "template", "--include-crds", "--no-hooks"];
const APPS = ["--file", "bootstrap/helmfile.d/01-apps.yaml", "template", "--include-crds"];
const CILIUM = ["--file", "bootstrap/helmfile.d/01-apps.yaml", "--selector", "name=cilium", "template"];

/** What was rendered, in its order. The stand-in prints definitions without their schemas: they are megabytes that nothing of ours reads. */
const objects = ({ out }: Said) =>
  parseAllDocuments(out)
    .map((document) => document.toJS() as any)
    .map((object) => {
      for (const version of object.kind === "CustomResourceDefinition" ? object.spec.versions : []) {
        delete version.schema;
        delete version.subresources;
        delete version.additionalPrinterColumns;
      }
      return object;
    });

test.each([
  ["the definitions of 00-crds.yaml", CRDS],
  ["the releases of 01-apps.yaml", APPS],
])("%s are rendered alike", async (_, words) => {
  const [real, standIn] = await Promise.all([tools.real("helmfile", ...words), tools.standIn("helmfile", ...words)]);
  expect([real.code, standIn.code]).toEqual([0, 0]);
  const rendered = objects(real);
  expect(rendered.length).toBeGreaterThan(20);
  expect(objects(standIn)).toEqual(rendered);
});

test("the definitions have the schemas of the real ones", async () => {
  const { out } = await tools.real("helmfile", ...CRDS);
  const monitor = parseAllDocuments(out)
    .map((document) => document.toJS() as any)
    .find(({ kind, metadata }) => kind === "CustomResourceDefinition" && metadata.name === "servicemonitors.monitoring.coreos.com");
  expect(Object.keys(monitor.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties)).toContain("endpoints");
});

/** The lines that say why, without what is of one machine: where helm is and where its cache is. */
const why = ({ err }: Said) =>
  err
    .replaceAll(/"\/\S*\/helm"/g, '"helm"')
    .replaceAll(/^ {2}\/\S*\/helm$/gm, "  helm")
    .replaceAll(/^( {2}4: ).*$/gm, "$1<cache>")
    .split("\n")
    .filter((line) => line.trim() !== "");

test.each([
  ["registry-flaps", 6],
  ["registry-rate-limited", 6],
  ["registry-broken", 1],
  ["registry-down", 1e9],
] as const)("%s: both stop with the same words", async (fault, times) => {
  await tools.fault(fault, times);
  const real = await tools.real("helmfile", ...CILIUM);
  await tools.fault(fault, times);
  const standIn = await tools.standIn("helmfile", ...CILIUM);
  expect([real.code, standIn.code]).toEqual([1, 1]);
  expect(why(standIn)).toEqual(why(real));
});

test.each(["registry-flaps", "registry-rate-limited", "registry-slow"] as const)("%s, once, is waited out by both", async (fault) => {
  await tools.fault(fault, 1);
  expect((await tools.real("helmfile", ...CILIUM)).code).toBe(0);
  expect(tools.home.world.state.faults[fault]).toBe(0);
  await tools.fault(fault, 1);
  expect((await tools.standIn("helmfile", ...CILIUM)).code).toBe(0);
  expect(tools.home.world.state.faults[fault]).toBe(0);
});
