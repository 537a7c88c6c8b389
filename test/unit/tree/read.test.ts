import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inWords } from "../../../scripts/lib/tree/object.ts";
import { readTree } from "../../../scripts/lib/tree/read.ts";
import { configMap, ks, kustomization, repository, ROOT } from "../lint/tree.ts";

const told = (tree: ReturnType<typeof readTree>) =>
  tree.findings.map(({ rule, level, file, line, message }) => `${level} ${rule} ${file}:${line} ${message}`);
const names = (tree: ReturnType<typeof readTree>) => tree.kustomizations.map(({ namespace, name }) => `${namespace}/${name}`);
const APP = {
  "kubernetes/apps/default/kustomization.yaml": `${kustomization("./echo/ks.yaml")}namespace: default\n`,
  "kubernetes/apps/default/echo/ks.yaml": ks("echo", "kubernetes/apps/default/echo/app", "  targetNamespace: default\n"),
  "kubernetes/apps/default/echo/app/kustomization.yaml": ["./configmap.yaml"],
  "kubernetes/apps/default/echo/app/configmap.yaml": configMap("echo", { domain: "${DOMAIN}" }),
};
const SETTINGS = `  patches:
    - target: { kind: Kustomization, group: kustomize.toolkit.fluxcd.io, labelSelector: "!own-defaults" }
      patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata:
          name: _
        spec:
          postBuild:
            substitute:
              DOMAIN: example.com
`;

describe("a tree as Flux reads it", () => {
  it("begins with what the FluxInstance syncs, and goes through every Kustomization that another applies", () => {
    const tree = readTree({ root: repository({ ...ROOT(SETTINGS), ...APP }) });
    expect(told(tree)).toEqual([]);
    expect(names(tree)).toEqual(["flux-system/flux-system", "flux-system/cluster-apps", "default/echo"]);
    expect(tree.kustomizations[2]).toMatchObject({
      parent: "flux-system/cluster-apps",
      source: { file: "kubernetes/apps/default/echo/ks.yaml", line: 2 },
    });
  });

  it("is built, patched by the root, put into its namespace and substituted", () => {
    const [, , echo] = readTree({ root: repository({ ...ROOT(SETTINGS), ...APP }) }).kustomizations;
    expect(echo!.objects.map(({ object }) => object.data)).toEqual([{ domain: "${DOMAIN}" }]);
    expect(echo!.built.map(({ object }) => [inWords(object), object.data])).toEqual([
      ["ConfigMap default/echo", { domain: "example.com" }],
    ]);
    expect(echo!.built[0]!.source).toEqual({ file: "kubernetes/apps/default/echo/app/configmap.yaml", line: 2, document: 0 });
  });

  it("lacks a variable that nobody sets: the build fails, with the line", () => {
    const tree = readTree({ root: repository({ ...ROOT(SETTINGS.replace("DOMAIN:", "OTHER:")), ...APP }) });
    expect(told(tree)).toEqual([
      'error substitution kubernetes/apps/default/echo/app/configmap.yaml:6 data.domain: variable not set (strict mode): "DOMAIN"',
    ]);
    expect(tree.kustomizations[2]!.broken).toBe(true);
  });
});

describe("a tree that cannot be read", () => {
  it("is missing", () =>
    expect(told(readTree({ root: join(repository({ "a.txt": "" }), "kubernetes") }))).toEqual([
      "error entry kubernetes:1 there is no such folder",
    ]));
  it("has no flux/", () =>
    expect(told(readTree({ root: repository({ "kubernetes/apps/x.yaml": "" }) }))).toEqual([
      "error entry kubernetes:1 there is no flux/ with a Kustomization to begin with",
    ]));
  it("has a syntax error in one file, and is read all the same", () => {
    const tree = readTree({
      root: repository({
        ...ROOT(SETTINGS),
        ...APP,
        "kubernetes/apps/default/echo/app/kustomization.yaml": ["./configmap.yaml", "./broken.yaml"],
        "kubernetes/apps/default/echo/app/broken.yaml": "a: 1\na: 2\n",
      }),
    });
    expect(told(tree)).toEqual(["error yaml kubernetes/apps/default/echo/app/broken.yaml:2 Map keys must be unique"]);
    expect(tree.kustomizations[2]!.built).toHaveLength(1);
  });
});
