// `CLUSTER=<uid of its kube-system namespace> npm run test:integration`: the product's reads against that cluster, with the tools on the PATH.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { testCluster } from "../unit/test-cluster.ts";
import { linesOfTheUnitTests } from "./corpus.ts";
import { expectCluster, readingLines, sayHere } from "./live.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const { CLUSTER } = process.env;

const answer =
  (stdout: string, code = 0) =>
  () => ({ code, stdout, stderr: code ? "connection refused" : "" });

it("another cluster than the named one is asked nothing", () => {
  expect(() => expectCluster("abc", answer("def"))).toThrow(
    "CLUSTER=abc is another cluster than the one that answers, def: nothing was asked of it",
  );
  expect(() => expectCluster("abc", answer("", 1))).toThrow("no cluster answers, so it cannot be abc: connection refused");
  expect(() => expectCluster("abc", answer("abc\n"))).not.toThrow();
});

it("only what reads is asked, of this home's nodes", () => {
  const lines = ["kubectl get nodes", "talosctl --nodes 10.0.0.1 version", "talosctl --nodes 10.0.0.1 bootstrap", "helm uninstall coredns"];
  expect(readingLines(lines, ["10.0.0.1"], ["10.9.0.1", "10.9.0.2"])).toEqual([
    "kubectl get nodes",
    "talosctl --nodes 10.9.0.1 version",
    "talosctl --nodes 10.9.0.2 version",
  ]);
});

describe.runIf(CLUSTER)(`against cluster ${CLUSTER}`, () => {
  beforeAll(() => expectCluster(CLUSTER!, sayHere));
  it("every read of the product is answered", () => {
    const { nodes } = parse(readFileSync(resolve(PROJECT, "talos/cluster.yaml"), "utf8")) as { nodes: { address: string }[] };
    const lines = readingLines(
      linesOfTheUnitTests(PROJECT),
      testCluster().nodes.map(({ address }) => address),
      nodes.map(({ address }) => address),
    );
    const failed = lines.map((line) => ({ line, ...sayHere(line) })).filter(({ code }) => code !== 0);
    console.log(`${lines.length} command lines were asked of ${CLUSTER}`);
    expect(failed).toEqual([]);
  });
});
