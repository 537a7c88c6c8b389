// The real helm against the simulated registries.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { eachOf } from "../../../scripts/lib/run/at-once.ts";
import { artifactOf } from "../../simulators/world/charts/artifact.ts";
import { renderedBy } from "../../simulators/world/charts/objects.ts";
import { chartsAsked } from "../../simulators/world/charts/charts-asked.ts";
import { openRealTools, type RealTools } from "./real.ts";

let tools: RealTools;
beforeAll(async () => void (tools = await openRealTools()));
afterAll(() => tools?.close());

const CILIUM = "oci://quay.io/cilium/charts/cilium";
const pull = (chart: string, version: string) =>
  tools.real("helm", "pull", chart, "--version", version, "--destination", tools.home.folder);
const manifest = (host: string, rest: string) => `https://${host}/v2/${rest}`;

test("pulls every chart that the repository asks for, with the digest that Flux reports", async () => {
  const asked = [...chartsAsked(join(tools.home.folder, "repo"))].flatMap(([place, versions]) =>
    [...versions].map((version) => [place, version]),
  );
  expect(asked.length).toBeGreaterThan(10);
  await eachOf(asked as [string, string][], async ([place, version]) => {
    const { digest } = artifactOf(`oci://${place}`, version);
    expect(await pull(`oci://${place}`, version)).toEqual({ code: 0, out: `Pulled: ${place}:${version}\nDigest: ${digest}\n`, err: "" });
  });
});

test("finds the newest version by itself", async () => {
  const { code, out } = await tools.real("helm", "show", "chart", CILIUM);
  const wanted = /tag: (\S+)/.exec(
    readFileSync(join(tools.home.folder, "repo/kubernetes/apps/kube-system/cilium/app/ocirepository.yaml"), "utf8"),
  );
  expect([code, /^version: (\S+)$/m.exec(out)?.[1]]).toEqual([0, wanted?.[1]]);
});

test.each([
  [CILIUM, "9.9.9", "quay.io/cilium/charts/cilium:9.9.9: not found"],
  ["oci://quay.io/cilium/charts/nothing", "1.20.1", "quay.io/cilium/charts/nothing:1.20.1: not found"],
])("%s in version %s is not found", async (chart, version, said) => {
  expect(await pull(chart, version)).toEqual({ code: 1, out: "", err: `Error: failed to perform "FetchReference" on source: ${said}\n` });
});

test.each([
  ["a ServiceMonitor", { prometheus: { serviceMonitor: { enabled: true } } }],
  ["no ServiceMonitor", { prometheus: { serviceMonitor: { enabled: false } }, monitor: [{ enabled: true }] }],
  ["one from within a list", { operators: [{ monitor: { create: true } }] }],
  ["none from a chart's own word", { serviceMonitor: "enabled" }],
])("templates render %s when the values say so, as in the simulated cluster", async (_, values) => {
  const words = ["template", "cilium", CILIUM, "--version", "1.20.1", "--namespace", "kube-system", "--set-json"];
  const { code, out } = await tools.real("helm", ...words, `v=${JSON.stringify(values)}`);
  expect(code).toBe(0);
  // some releases of helm say on stdout that they pulled
  const rendered = parseAllDocuments(out.slice(out.indexOf("---\n"))).map((one) => one.toJS());
  const { objects } = renderedBy({ name: "cilium", namespace: "kube-system", url: CILIUM, version: "1.20.1", values: { v: values } });
  expect(rendered).toEqual(objects);
});

test.each([
  [
    "registry-flaps",
    6,
    `GET "${manifest("quay.io", "cilium/charts/cilium/manifests/1.20.1")}": response status code 503: Service Unavailable`,
  ],
  [
    "registry-rate-limited",
    6,
    `GET "${manifest("quay.io", "cilium/charts/cilium/manifests/1.20.1")}": response status code 429: toomanyrequests: too many requests`,
  ],
  ["registry-down", 1e9, `Get "${manifest("quay.io", "cilium/charts/cilium/manifests/1.20.1")}": unexpected EOF`],
] as const)("%s, %d times, is reported", async (fault, times, said) => {
  await tools.fault(fault, times);
  expect(await pull(CILIUM, "1.20.1")).toEqual({ code: 1, out: "", err: `Error: failed to perform "FetchReference" on source: ${said}\n` });
});

test("a chart that does not fit its digest is refused", async () => {
  await tools.fault("registry-broken", 1);
  expect(await pull(CILIUM, "1.20.1")).toEqual({
    code: 1,
    out: "",
    err: 'Error: failed to perform "Push" on destination: mismatched digest\n',
  });
});

test.each(["registry-flaps", "registry-rate-limited", "registry-slow"] as const)("%s, once, is waited out", async (fault) => {
  await tools.fault(fault, 1);
  expect((await pull(CILIUM, "1.20.1")).code).toBe(0);
  expect(tools.home.world.state.faults[fault]).toBe(0);
});
