// talos:validate and talos:render.
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { render } from "../../../scripts/talos/render.ts";
import { validate } from "../../../scripts/talos/validate.ts";
import { type Answer, record } from "../recorder.ts";
import { secrets } from "./home.ts";

const LINE = "cat | talosctl validate --mode metal --strict --config /dev/stdin";
const check = async (answer: Answer | Answer[]) => {
  const lab = await record({ secrets, answers: { [LINE]: answer } });
  const error = (await lab.run(validate, {})) as Error | undefined;
  return { ...lab, error: error?.message };
};

describe("talos:validate", () => {
  test("hands each config to talosctl by a pipe, strictly", async () => {
    const { commands, stdin, said, error } = await check("/dev/stdin is valid for metal mode\n");
    expect([commands, said, error]).toEqual([Array.from({ length: 3 }, () => `ask ${LINE}`), ["3 machine configs are valid"], undefined]);
    expect(parseAllDocuments(stdin[LINE]!).length).toBe(7);
  });
  test("names every node whose config is not", async () =>
    expect((await check(["", { err: "1 error occurred:\n\t* bad\n", code: 1 }, { err: "worse\n", code: 1 }])).error).toMatch(
      /^could not validate the machine configs\n {2}said: k8s-\d: .*bad\n {8}k8s-\d: worse\n {2}now: {2}nothing was sent\n {2}next: fix talos\/machineconfig\.yaml\.njk, then: task talos:validate$/s,
    ));
});

describe("talos:render", () => {
  const show = async (node?: string[]) => {
    const lab = await record({ secrets: () => expect.fail("the vault was asked") });
    const error = await lab.run(render, { node });
    return { text: lab.said[0]!, results: lab.results[0] as { node: string; documents: object[] }[], error, commands: lab.commands };
  };
  test("prints a node's config with its secrets left as references", async () => {
    const { text, results, commands } = await show(["k8s-1"]);
    expect(text).toMatch(/^# k8s-1\nversion: v1alpha1\n/);
    expect(text).toContain("token: op://Infrastructure/talos/MACHINE_TOKEN");
    expect([results.map(({ node, documents }) => [node, documents.length]), commands]).toEqual([[["k8s-1", 7]], []]);
  });
  test("prints all when none is named, each under its name", async () =>
    expect((await show()).text.match(/^# k8s-\d$/gm)).toEqual(["# k8s-0", "# k8s-1", "# k8s-2"]));
  test("is one YAML stream that can be parsed", async () => expect(parseAllDocuments((await show()).text).length).toBe(21));
});
