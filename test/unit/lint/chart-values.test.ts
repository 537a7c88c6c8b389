import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readChartValues, strayValues } from "../../../scripts/lib/lint/chart-values.ts";
import { isOn, knownCharts, LEVELS, lookUp, valuesOf } from "../../../scripts/lib/lint/chart-facts.ts";

const known = (name: string) => readChartValues(readFileSync(`scripts/lint/schemas/charts/${name}.txt`, "utf8"));
const told = (values: unknown, name: string) =>
  strayValues(values, known(name)).map(({ path, message, nearest }) => `${path} ${message}${nearest ? ` (${nearest})` : ""}`);

describe("the values that a chart knows", () => {
  it("are told apart from misspelt ones and wrong kinds", () => {
    const values = {
      cgroup: { automount: { enabled: false } },
      devices: 1,
      rollOutCiliumPods: "yes",
      resources: { limits: { memory: "1Gi" } },
    };
    expect(told(values, "cilium")).toEqual([
      "cgroup.automount is unknown to the chart (cgroup.autoMount)",
      "devices is a int, the chart takes list|string",
      "rollOutCiliumPods is a string, the chart takes bool",
    ]);
  });
  it("are checked below names that the person chooses", () => {
    const app = (container: object) => ({ controllers: { echo: { containers: { app: container } } } });
    expect(told(app({ image: { repository: "x", tag: "1" }, env: { TZ: "UTC" } }), "app-template")).toEqual([]);
    expect(told(app({ image: { repo: "x" } }), "app-template")).toEqual([
      "controllers.echo.containers.app.image.repo is unknown to the chart",
    ]);
  });
  it("may be taken away with null", () => expect(told({ devices: null }, "cilium")).toEqual([]));
  it("of a library's version are of the version that the list names itself", () =>
    expect(readChartValues("# oci://x/app  version 5.1.0\n# read at a b (c), chart version common 5.0.0; schema: none\n").readAt).toBe(
      "5.1.0",
    ));
  it("say which version they were read at", () =>
    expect([known("cilium"), known("tuppr")].map(({ chart, version, readAt }) => [chart, version, readAt])).toEqual([
      ["oci://quay.io/cilium/charts/cilium", "1.20.1", "1.20.0"],
      ["oci://ghcr.io/home-operations/charts/tuppr", "0.5.0", "0.5.0"],
    ]));
});

describe("what is known of charts", () => {
  it.each(Object.entries(knownCharts()))("%s has a key list of its own address, and levels and switches that exist", (url, facts) => {
    const values = valuesOf(url);
    expect(values, facts.values).toBeDefined();
    expect(url.split("/").at(-1)).toBe(values!.chart.split("/").at(-1));
    if (facts.podSecurity) expect(LEVELS).toContain(facts.podSecurity);
    for (const path of [facts.podSecurityWhen, facts.crdsWhen, ...(facts.needs ?? []).map(({ when }) => when)])
      if (path !== undefined) expect(values!.paths.has(path), path).toBe(true);
  });
  it("a value is what the release says, or the chart's default", () => {
    const chart = "oci://quay.io/jetstack/charts/cert-manager";
    expect([isOn({}, "crds.enabled", chart), isOn({ crds: { enabled: true } }, "crds.enabled", chart)]).toEqual([false, true]);
    expect(lookUp({ a: [{ b: { c: 1 } }, { b: { c: 2 } }] }, "a[].b.c")).toEqual([1, 2]);
  });
});
