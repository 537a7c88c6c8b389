// Every command line of the product, to the stand-in and to the real tool, in homes with the same past: they must agree at every stage of a bootstrap.
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eachOf } from "../../scripts/lib/run/at-once.ts";
import { changing } from "./changes.ts";
import { comparable } from "./compare.ts";
import { linesOfAHome, linesOfTheUnitTests, templatesOf } from "./corpus.ts";
import { openTwins, type Twins } from "./twins.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/** What changes something is said on purpose, in the end. */
const CHANGES = /apply|\bbootstrap\b(?!\/)|rollback|uninstall|sync|delete|reboot|upgrade|reset|patch|annotate/;

/** `talosctl get` takes a fingerprint from 1.14 on; the tools that are built here are 1.13. */
const ONLY_1_14 = /^talosctl .* get .*--cert-fingerprint/;

let twins: Twins;
/** What the unit tests saw, and what of it only reads. */
let seen: string[];
let corpus: string[];
const compared = new Set<string>();
let comparisons = 0;

beforeAll(async () => {
  seen = linesOfTheUnitTests(PROJECT);
  corpus = seen.filter((line) => !CHANGES.test(line) && !line.startsWith("cat |") && !ONLY_1_14.test(line));
  twins = await openTwins(PROJECT);
});
afterAll(async () => {
  await twins?.close();
  console.log(`${comparisons} comparisons of ${compared.size} command lines`);
});

/** A server that refuses a client says why and hangs up; which of the two a client sees is a race that is run again. */
async function unlessCutOff<T extends { real: { stderr: string } }>(say: () => Promise<T>): Promise<T> {
  for (let more = 3; ; more -= 1) {
    const said = await say();
    if (more === 0 || !/broken pipe|connection reset by peer|preface: EOF/.test(said.real.stderr)) return said;
  }
}

/** Both answers to every line, and the lines on which they differ. */
async function differences(lines: (string | { line: string; stdin?: string })[] = corpus): Promise<object[]> {
  const found = await eachOf(lines, async (one) => {
    const { line, stdin } = typeof one === "string" ? { line: one } : one;
    const { standIn, real } = await unlessCutOff(() => twins.say(line, stdin));
    compared.add(line);
    comparisons += 1;
    const [ours, theirs] = [comparable(line, standIn), comparable(line, real)];
    return isDeepStrictEqual(ours, theirs) ? [] : [{ line, ours, theirs, said: [standIn.stderr, real.stderr] }];
  });
  return found.flat();
}

describe.sequential("stand-ins and real tools agree", () => {
  it.each([
    ["on nodes that booted the ISO", []],
    ["on nodes with a config and no etcd", ["bootstrap:configs"]],
    ["on a cluster without a network", ["bootstrap:etcd", "bootstrap:kubeconfig", "bootstrap:nodes"]],
    ["on a cluster with its secrets and definitions", ["bootstrap:resources", "bootstrap:crds"]],
    ["on a cluster that Flux keeps", ["bootstrap:apps", "bootstrap:flux"]],
  ])("%s", async (_where, procedures) => {
    for (const name of procedures) await twins.run(name);
    const { standIn, real } = await twins.snapshot();
    expect(real).toEqual(standIn);
    expect(await differences()).toEqual([]);
  });

  it("the same command lines were given to both", () => {
    expect(linesOfAHome(twins.folder.real)).toEqual(linesOfAHome(twins.folder.standIn));
  });

  it("about what they change, and the worlds are alike afterwards", async () => {
    const { standIn } = await twins.say(
      `talosctl --talosconfig "$TALOSCONFIG" --endpoints 192.168.122.10 --nodes 192.168.122.10 get machineconfig v1alpha1 --output 'jsonpath={.spec}'`,
    );
    for (const { line, stdin } of changing(standIn.stdout)) {
      expect(await differences([{ line, stdin }])).toEqual([]);
      const after = await twins.snapshot();
      expect(after.real, `after ${line}`).toEqual(after.standIn);
    }
  });

  it("when the API server does not answer", async () => {
    await twins.ask("faults", { on: { "api-server-flaps": 1e9 } });
    expect(await differences(corpus.filter((line) => /^(kubectl|helm|flux) /.test(line)))).toEqual([]);
    await twins.ask("faults", { off: ["api-server-flaps"] });
  });
});

it("no command of the product was forgotten", () => {
  const lines = [...compared, ...linesOfAHome(twins.folder.real), ...seen];
  const forgotten = templatesOf(PROJECT).filter(({ pattern }) => !lines.some((line) => pattern.test(line)));
  expect(forgotten.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
});
