// The command itself: what it prints for people, machines and GitHub, and when it fails.
import { describe, expect, it } from "vitest";
import { Failure, UsageError } from "../../../scripts/lib/run/errors.ts";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import type { Finding } from "../../../scripts/lib/tree/types.ts";
import { lintKubernetes } from "../../../scripts/lint/kubernetes.ts";
import { record } from "../recorder.ts";
import { configMap, ks, kustomization, repository, ROOT } from "./tree.ts";

const APP = "kubernetes/apps/default/app/app";
const tree = (manifest: string) =>
  repository({
    ...ROOT(),
    "versions.env": "TALOS_VERSION=v1.13.9\nKUBERNETES_VERSION=v1.36.5\nFLUX_VERSION=v2.9.4\n",
    "kubernetes/apps/default/kustomization.yaml": `${kustomization("./app/ks.yaml")}namespace: default\n`,
    "kubernetes/apps/default/app/ks.yaml": ks("app", APP, "  targetNamespace: default\n"),
    [`${APP}/kustomization.yaml`]: ["./a.yaml"],
    [`${APP}/a.yaml`]: manifest,
  });
const isError = ({ level }: Finding) => level === "error"; // a tree without a bootstrap has unknowns
const GOOD = configMap("a");
const BAD = `${GOOD}imutable: true\n`;
const FINDING = {
  rule: "schema",
  level: "error",
  file: `${APP}/a.yaml`,
  line: 7,
  object: "ConfigMap default/a",
  message: "imutable is no field of this kind; did you mean immutable?",
};

async function run(manifest: string, values: { explain?: string; report?: "text" | "github" } = {}) {
  const root = tree(manifest);
  const lab = await record({ root, env: { HOME_OPS_STATE: `${root}/.home-ops` } });
  const shown: string[] = [];
  lab.context.ui.result = (value, forPeople) => {
    lab.results.push(value);
    shown.push(forPeople);
  };
  const failure = await lab.run(lintKubernetes, {
    root: "kubernetes",
    bootstrap: undefined,
    explain: values.explain,
    report: values.report ?? "text",
  });
  return { failure, shown: shown.join("\n"), value: lab.results[0] as { findings: Finding[] }, said: lab.said };
}

describe("lint:kubernetes", () => {
  it("says how a tree without errors comes up", async () => {
    const { failure, shown, value, said } = await run(GOOD);
    expect(failure).toBeUndefined();
    expect(value.findings.filter(isError)).toEqual([]);
    expect(shown).toMatch(/^wave 0: flux-system\/flux-system\nwave 1: flux-system\/cluster-apps\nwave 2: default\/app\n/m);
    expect(said).toEqual([
      expect.stringMatching(/^3 Kustomizations, 3 objects: 0 errors, 0 notes, \d unknown$/),
      expect.stringMatching(/^the tree can start cold: a note costs time/),
    ]);
    expect(Math.max(...shown.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100); // one word may be longer than 80
  });
  it("says rule, file, line, why and how to mend it, and fails", async () => {
    const { failure, shown, value } = await run(BAD);
    expect(value.findings.filter(isError)).toEqual([expect.objectContaining(FINDING)]);
    expect(shown.replaceAll(/\n {2,}(?!why|fix)/g, " ")).toContain(
      [
        `${APP}/a.yaml:7 error schema ConfigMap default/a: imutable is no field of this kind; did you mean immutable?`,
        "  why: the API server refuses the object, and with it the whole stage of its Kustomization",
        "  fix: fix it: scripts/lint/schemas/kubernetes/v1.36.5/configmap_v1.json says what is allowed there",
      ].join("\n"),
    );
    expect(failure).toBeInstanceOf(Failure);
    expect(String(failure)).toMatch(
      /^Failure: could not show that this tree can start\n {2}said: 1 error, 0 notes, \d unknown\n {2}next: fix the errors above, then: task lint:kubernetes$/,
    );
  });
  it("annotates the lines of a pull request", async () => {
    const { shown } = await run(BAD, { report: "github" });
    expect(shown.split("\n")).toContain(
      `::error file=${APP}/a.yaml,line=7,title=schema ConfigMap default/a::imutable is no field of this kind; did you mean immutable?%0Awhy: the API server refuses the object, and with it the whole stage of its Kustomization%0Afix: fix it: scripts/lint/schemas/kubernetes/v1.36.5/configmap_v1.json says what is allowed there`,
    );
  });
  it("explains what one object waits for", async () => {
    const { failure, shown } = await run(GOOD, { explain: "Kustomization/default/app" });
    expect(failure).toBeUndefined();
    expect(shown).toContain("Kustomization default/app");
  });
  it("knows no object of another name", async () =>
    expect((await run(GOOD, { explain: "nobody" })).failure).toEqual(
      new UsageError("--explain nobody: there is no such object in the tree (NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME)"),
    ));
  it("remembers what it parsed, and says the same", async () => {
    const root = tree(BAD);
    const once = async () => {
      const lab = await record({ root, env: { HOME_OPS_STATE: `${root}/.home-ops` } });
      await lab.run(lintKubernetes, { root: "kubernetes", bootstrap: undefined, explain: undefined, report: "text" });
      return lab.results;
    };
    expect(await once()).toEqual(await once());
  });
});

describe("the folders it is given", () => {
  const at = async (root: string, values: { root?: string; bootstrap?: string }) => {
    const lab = await record({ root, env: { HOME_OPS_STATE: `${root}/.home-ops` } });
    const failure = await lab.run(lintKubernetes, {
      root: "kubernetes",
      bootstrap: undefined,
      explain: undefined,
      report: "text",
      ...values,
    });
    const { findings } = lab.results[0] as { findings: Finding[] };
    return { failure: String(failure), told: findings.filter(isError).map(({ file, line, message }) => `${file}:${line}: ${message}`) };
  };
  it("a bootstrap that is not there is an error, not a tree without one", async () => {
    const { failure, told } = await at(tree(GOOD), { bootstrap: "botstrap" });
    expect(told).toEqual(["botstrap:1: there is no such folder"]);
    expect(failure).toContain("next: fix the errors above, then: task lint:kubernetes BOOTSTRAP=botstrap");
  });
  it("a tree that is a file is called one", async () =>
    expect((await at(tree(GOOD), { root: "versions.env" })).told).toEqual(["versions.env:1: is a file, not a folder"]));
  it("a tree that is nowhere keeps its slash", async () =>
    expect((await at(tree(GOOD), { root: "/nonexistent" })).told).toEqual(["/nonexistent:1: there is no such folder"]));
  it("a tree outside the repository is named by where it lies, and named again in what comes next", async () => {
    const elsewhere = tree(BAD);
    const { failure, told } = await at(tree(GOOD), { root: elsewhere });
    expect(told).toEqual([`${elsewhere}/${APP}/a.yaml:7: imutable is no field of this kind; did you mean immutable?`]);
    expect(failure).toContain(`task lint:kubernetes ROOT=${elsewhere}`);
  });
});

it("stops at Ctrl-C between two rules", async () => {
  const stop = new AbortController();
  setImmediate(() => stop.abort(new Error("interrupted by SIGINT")));
  await expect(lint({ root: tree(GOOD) }, { kubernetes: "v1.36.5", signal: stop.signal })).rejects.toThrow("interrupted by SIGINT");
});

describe("what a release says wrongly", () => {
  const release = (spec: string, chart = "ghcr.io/bjw-s-labs/helm/app-template", tag = "5.1.0") => `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: app
spec:
  interval: 1h
  url: oci://${chart}
  ref: { tag: ${tag} }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app
spec:
  interval: 1h
${spec}`;
  const REF = "  chartRef: { kind: OCIRepository, name: app }\n";
  const told = async (manifest: string) => (await lint({ root: tree(manifest) }, { kubernetes: "v1.36.5" })).findings;
  const CONTAINER =
    "  values:\n    controllers: { app: { containers: { app: { securtyContext: {}, image: { repository: a, tag: b } } } } }\n";
  it("a misspelt value of the version that is described fails the install: an error", async () => {
    const [found] = (await told(release(REF + CONTAINER))).filter(({ rule }) => rule === "values");
    expect(found).toMatchObject({
      level: "error",
      message:
        "controllers.app.containers.app.securtyContext is unknown to the chart; did you mean controllers.app.containers.app.securityContext?",
    });
  });
  it("one that a newer version may know is unknown, and its why says so", async () => {
    const values = "  values:\n    wholly: { new: true }\n";
    const [found] = (await told(release(REF + values, "ghcr.io/openebs/charts/openebs", "4.5.1"))).filter(({ rule }) => rule === "values");
    expect(found).toMatchObject({
      level: "unknown",
      why: "its key list is of 4.2.0, the tree has 4.5.1: the chart may know it by now; where it does not, Helm ignores it without a word",
    });
  });
  it("chartReff is told once, with what was meant", async () => {
    const found = await told(release(REF.replace("chartRef", "chartReff")));
    expect(found.filter(({ rule }) => rule === "schema").map(({ message }) => message)).toContain(
      "spec.chartReff is no field of this kind; did you mean spec.chartRef?",
    );
    expect(found.filter(({ rule }) => rule === "values")).toEqual([]);
  });
});

it("says nothing of a component that is there to be switched on", async () => {
  const component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
  const root = repository({
    ...ROOT(),
    "kubernetes/apps/kustomization.yaml": kustomization(),
    "kubernetes/components/offered/kustomization.yaml": `# optional: docs/cluster.md says when\n${component}`,
    "kubernetes/components/forgotten/kustomization.yaml": component,
  });
  const { findings } = await lint({ root }, { kubernetes: "v1.36.5" });
  expect(findings.filter(({ rule }) => rule === "structure").map(({ file, message }) => `${file} ${message}`)).toEqual([
    "kubernetes/components/forgotten/kustomization.yaml no Kustomization uses this component",
  ]);
});
