// Input that a lint must survive: each is one clear finding, the rest of the tree is read all the same, and nothing runs for ever.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import { configMap, ks, kustomization, repository, ROOT } from "./tree.ts";

const APP = "kubernetes/apps/default/app/app";
const base = (...resources: string[]) =>
  repository({
    ...ROOT(),
    "kubernetes/apps/default/kustomization.yaml": `${kustomization("./app/ks.yaml")}namespace: default\n`,
    "kubernetes/apps/default/app/ks.yaml": ks("app", APP, "  targetNamespace: default\n"),
    [`${APP}/kustomization.yaml`]: ["./good.yaml", ...resources],
    [`${APP}/good.yaml`]: configMap("good"),
  });
async function told(root: string) {
  const { findings, input } = await lint({ root }, { kubernetes: "v1.36.5" });
  const good = input.applied.some(({ object }) => object.metadata.name === "good");
  const lines = findings
    .filter(({ rule }) => /^(file|yaml|kustomize|entry|structure)$/.test(rule))
    .map(({ level, file, line, message }) => `${level} ${file}:${line}: ${message}`);
  return { good, lines };
}

describe("a file", () => {
  it("of eleven megabytes", async () => {
    const root = base("./large.yaml");
    writeFileSync(join(root, APP, "large.yaml"), Buffer.alloc(11 * 1024 * 1024, "#"));
    expect(await told(root)).toEqual({ good: true, lines: [`error ${APP}/large.yaml:1: is 11.0 MB, larger than 10 MB`] });
  });
  it("that is binary", async () => {
    const root = base("./binary.yaml");
    writeFileSync(join(root, APP, "binary.yaml"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]));
    expect(await told(root)).toEqual({ good: true, lines: [`error ${APP}/binary.yaml:1: is a binary file`] });
  });
  it("that is a link out of the tree", async () => {
    const root = base("./link.yaml");
    const outside = join(repository({ "x.yaml": configMap("x") }), "x.yaml");
    symlinkSync(outside, join(root, APP, "link.yaml"));
    expect(await told(root)).toEqual({ good: true, lines: [`error ${APP}/link.yaml:1: is a link out of the tree`] });
  });
  it("in a folder that is a link out of the tree", async () => {
    const root = base("./elsewhere/x.yaml");
    symlinkSync(repository({ "x.yaml": configMap("x") }), join(root, APP, "elsewhere"));
    expect((await told(root)).lines).toContain(`error ${APP}/elsewhere/x.yaml:1: is a link out of the tree`);
  });
  it("that is a link to itself, and a folder that is a link to its parent", async () => {
    const root = base("./loop.yaml", "./up");
    symlinkSync("loop.yaml", join(root, APP, "loop.yaml"));
    symlinkSync("..", join(root, APP, "up"));
    const { good, lines } = await told(root);
    expect(good).toBe(true);
    expect(lines).toEqual([
      `error ${APP}/kustomization.yaml:5: ./loop.yaml does not exist`,
      `error ${APP}/kustomization.yaml:6: ${APP}/up has no kustomization file, or two`,
      `error ${APP}/loop.yaml:1: no kustomization includes it`,
      `note ${APP}/up:1: nothing packs this file`,
    ]);
  });
  it("that would unfold to ten thousand million nodes", async () => {
    const root = base("./bomb.yaml");
    const rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (const [index, name] of [..."bcdefghij"].entries())
      rows.push(`${name}: &${name} [${Array(10).fill(`*${"abcdefghij"[index]}`).join(", ")}]`);
    writeFileSync(join(root, APP, "bomb.yaml"), rows.join("\n"));
    expect(await told(root)).toEqual({
      good: true,
      lines: [`error ${APP}/bomb.yaml:1: its aliases (*name) unfold to far more than is written`],
    });
  });
  it("that is no YAML at all", async () => {
    const root = base("./none.yaml");
    writeFileSync(join(root, APP, "none.yaml"), "{[}\n\t- @");
    const { good, lines } = await told(root);
    expect(good).toBe(true);
    expect(lines[0]).toMatch(new RegExp(`^error ${APP}/none.yaml:1: `));
  });
  it("that is a folder, a number, a list", async () => {
    const root = base("./folder.yaml", "./number.yaml", "./list.yaml");
    mkdirSync(join(root, APP, "folder.yaml"));
    writeFileSync(join(root, APP, "number.yaml"), "5\n");
    writeFileSync(join(root, APP, "list.yaml"), "- a\n- b\n");
    expect(await told(root)).toEqual({
      good: true,
      lines: [
        `error ${APP}/kustomization.yaml:5: ${APP}/folder.yaml has no kustomization file, or two`,
        `error ${APP}/list.yaml:1: is no Kubernetes object: apiVersion, kind or metadata.name is missing`,
        `error ${APP}/number.yaml:1: is no Kubernetes object: apiVersion, kind or metadata.name is missing`,
      ],
    });
  });
});

describe("a kustomization file", () => {
  const withFile = async (text: string) => {
    const root = base();
    writeFileSync(join(root, APP, "kustomization.yaml"), text);
    return (await told(root)).lines;
  };
  it("that is a list", async () =>
    expect(await withFile("- a\n")).toEqual(
      [`error ${APP}/kustomization.yaml:1: is no map of fields`, `error ${APP}/good.yaml:1: no kustomization includes it`].sort(),
    ));
  it("whose lists are none", async () => {
    const lines = await withFile("resources: ./good.yaml\npatches: { a: 1 }\nconfigMapGenerator: 5\n");
    expect(lines).toContain(`error ${APP}/kustomization.yaml:1: resources must be a list`);
    expect(lines).toContain(`error ${APP}/kustomization.yaml:2: patches must be a list`);
    expect(lines).toContain(`error ${APP}/kustomization.yaml:3: configMapGenerator must be a list`);
  });
  it("whose entries are none", async () => {
    const lines = await withFile("resources: [null, 5, {}]\npatches: [null, 7]\ncomponents: [1]\nlabels: [x]\nimages: [x]\n");
    expect(lines.every((line) => line.startsWith(`error ${APP}/`))).toBe(true);
  });
});

describe("a tree", () => {
  it("that is empty", async () => {
    const root = repository({ "versions.env": "" });
    mkdirSync(join(root, "kubernetes"));
    expect((await told(root)).lines).toEqual(["error kubernetes:1: the tree is empty"]);
  });
  it("without flux/", async () =>
    expect((await told(repository({ "kubernetes/apps/x/kustomization.yaml": kustomization() }))).lines).toEqual([
      "error kubernetes:1: there is no flux/ with a Kustomization to begin with",
    ]));
  it("whose flux/ is no YAML is read from its applications on", async () => {
    const root = base("./bad.yaml");
    writeFileSync(join(root, "kubernetes/flux/cluster/ks.yaml"), "a: [\n");
    writeFileSync(join(root, APP, "bad.yaml"), "a: 1\na: 2\n");
    const { good, lines } = await told(root);
    expect(good).toBe(true);
    expect(lines.map((line) => line.split(": ")[0])).toEqual([`error ${APP}/bad.yaml:2`, "error kubernetes/flux/cluster/ks.yaml:2"]);
  });
  it("whose Kustomizations apply each other in a circle ends", async () => {
    const root = repository({
      ...ROOT(),
      "kubernetes/apps/kustomization.yaml": ["./ks.yaml"],
      "kubernetes/apps/ks.yaml": ks("again", "kubernetes/apps").replace("name: again", "name: again\n  namespace: flux-system"),
    });
    const { input } = await lint({ root }, { kubernetes: "v1.36.5" });
    expect(input.tree.kustomizations.map(({ name }) => name)).toEqual(["flux-system", "cluster-apps", "again"]);
  });
  it("of Flux objects without a spec, a name, or with words where maps belong", async () => {
    const root = repository({
      ...ROOT(),
      "kubernetes/apps/a.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: a\n",
      "kubernetes/apps/b.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: b\nspec: nothing\n",
      "kubernetes/apps/c.yaml":
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: c\nspec:\n  chartRef: word\n  values: [1]\n",
      "kubernetes/apps/d.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: d\ndata: word\n",
      "kubernetes/apps/e.yaml":
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: e\nspec:\n  data: word\n  dataFrom: 5\n",
      "kubernetes/apps/f.yaml":
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: f\nspec:\n  template:\n    spec:\n      containers: word\n      volumes: 5\n",
      "kubernetes/apps/g.yaml": "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: g\nspec:\n  listeners: word\n",
    });
    const { findings } = await lint({ root }, { kubernetes: "v1.36.5" });
    expect(findings.filter(({ message }) => message.includes("could not finish"))).toEqual([]);
    expect(findings.filter(({ rule }) => rule === "schema").length).toBeGreaterThan(5);
  });
});
