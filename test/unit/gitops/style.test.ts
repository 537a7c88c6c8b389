// House style, as tests instead of habits: names of files, order of keys, sorted lists, plain words.
import { describe, expect, it } from "vitest";
import { isPair, isScalar, type Node, parseAllDocuments, parseDocument, visit } from "yaml";
import { documentsOf, FILES, read, TREE } from "./tree.ts";

/** Kinds with a name of their own: `kustomization.yaml` is kustomize's, so Flux's is `ks.yaml`. */
const SHARED: Record<string, string> = {
  "Component kustomize.config.k8s.io": "kustomization.yaml",
  "Kustomization kustomize.config.k8s.io": "kustomization.yaml",
  "Kustomization kustomize.toolkit.fluxcd.io": "ks.yaml",
};

describe("files", () => {
  it.each(FILES)("%s is named after the one kind it holds", (file) => {
    const names = documentsOf(file).map(
      ({ kind, apiVersion }) => SHARED[`${kind} ${apiVersion.split("/")[0]}`] ?? `${kind.toLowerCase()}.yaml`,
    );
    expect(names).toEqual(names.map(() => file.split("/").at(-1)));
  });

  it("none is longer than 150 lines, and each ends in one newline", () => {
    for (const file of FILES) {
      expect(read(file).split("\n").length, file).toBeLessThanOrEqual(151);
      expect(read(file), file).toMatch(/[^\n]\n$/);
    }
  });
});

/** What comes first in a map; everything after it is alphabetical. */
function leaders(keys: string[], under: string | undefined): string[] {
  if (under === undefined) return ["apiVersion", "kind", "metadata"];
  if (under === "metadata") return ["name", "namespace", "annotations", "labels"];
  if (under === "resources") return ["requests", "limits"];
  if (keys.includes("apiVersion")) return ["apiVersion", "kind", "name", "namespace"];
  return keys.includes("kind") ? [] : ["name", "namespace"];
}

/** The keys of a map in the order that the house wants. */
function inOrder(keys: string[], under: string | undefined): string[] {
  const first = leaders(keys, under).filter((key) => keys.includes(key));
  return [...first, ...keys.filter((key) => !first.includes(key)).sort()];
}

/** Every map of a document whose keys are out of order: "spec.values: [b, a]". */
function disorder(root: Node | null): string[] {
  const found: string[] = [];
  visit(root, {
    Map(_key, map, path) {
      const steps = path.filter((step) => isPair(step)).map(({ key }) => String(isScalar(key) ? key.value : key));
      const keys = map.items.map(({ key }) => String(isScalar(key) ? key.value : key));
      if (keys.join() !== inOrder(keys, steps.at(-1)).join()) found.push(`${steps.join(".")}: [${keys.join(", ")}]`);
    },
  });
  return found;
}

describe("order", () => {
  it.each(TREE.map((one) => [`${one.file} ${one.kind} ${one.name}`, one] as const))("%s has its keys in order", (_name, { document }) => {
    expect(disorder(document.contents as Node)).toEqual([]);
  });

  it("finds keys that are out of it", () => {
    const text =
      "kind: A\napiVersion: v1\nmetadata: {labels: {}, name: a}\nspec: {b: 1, a: [{key: 1, name: x}], resources: {limits: 1, requests: 1}}\n";
    expect(disorder(parseDocument(text).contents)).toEqual([
      ": [kind, apiVersion, metadata, spec]",
      "metadata: [labels, name]",
      "spec: [b, a, resources]",
      "spec.a: [key, name]",
      "spec.resources: [limits, requests]",
    ]);
  });

  it("lists of resources, components and dependencies are sorted, and paths begin with a dot", () => {
    for (const { file, object } of TREE) {
      const { resources = [], components = [] } = object as { resources?: string[]; components?: string[] };
      for (const list of [resources, components]) expect(list, file).toEqual(list.toSorted());
      for (const path of [...resources, ...components]) expect(path, file).toMatch(/^\.\.?\//);
      const needed = ((object.spec?.dependsOn ?? []) as { name: string }[]).map(({ name }) => name);
      expect(needed, file).toEqual(needed.toSorted());
    }
  });
});

it("no anchors, no merge keys, no block of comments", () => {
  for (const { file, document } of TREE) {
    visit(document, {
      Alias: (_key, { source }) => expect.fail(`${file}: an alias of ${source}`),
      Pair: (_key, { key }) => expect(isScalar(key) && key.value, `${file}: a merge key`).not.toBe("<<"),
    });
    expect(read(file), file).not.toMatch(/^\s*#(?! yaml-language-server).*\n\s*#/m);
  }
});

/** What a text says to a reader of YAML 1.1, as Helm and the API server's clients are, and to one of 1.2. */
const readings = (text: string) => [
  parseAllDocuments(text, { version: "1.1" }).map((document) => document.toJSON() as unknown),
  parseAllDocuments(text).map((document) => document.toJSON() as unknown),
];

it("no word means one thing to YAML 1.1 and another to 1.2: dates, yes and no, octal numbers are quoted", () => {
  for (const file of FILES) {
    const [old, current] = readings(read(file));
    expect(old, file).toEqual(current);
  }
  for (const text of ["from: 2024-04-01\n", "a: yes\n", "a: 0755\n", "a: 1:30\n"]) {
    const [old, current] = readings(text);
    expect(old, text).not.toEqual(current);
  }
});
