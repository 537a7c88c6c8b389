// What a procedure refuses: every one of them words that it does not know, and one that changes something a home that is not ready for it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { askHome, layoutOf } from "../simulators/control.ts";
import { proceduresThatChange, wantedOutcomes } from "./record/wanted.ts";

const NAMES = [...(await wantedOutcomes()).keys()].sort();
const CHANGING = await proceduresThatChange();
/** Words without which it would refuse for another reason. */
const WORDS: Record<string, string[]> = {
  "flux:apply": ["--app", "selfhosted/echo"],
  "flux:delete": ["--app", "selfhosted/echo"],
  leftovers: ["--undo", "--name", "k8s_0"],
};

let home: RunningHome;
beforeAll(async () => void (home = await startHome({ project: process.cwd() })));
afterAll(() => home?.close());

test.each(NAMES)("%s refuses a flag that it does not have", async (name) => {
  const { code, stderr } = await run(home.folder, name, ["--no-such-flag"]);
  expect([code, stderr]).toEqual([64, expect.stringContaining("--no-such-flag")]);
});

describe("in a home where nothing is prepared", () => {
  beforeAll(() => {
    // so that configure has something to change
    const file = join(layoutOf(home.folder).repo, "talos/cluster.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("homelab.test", "another.test"));
  });
  test.each(CHANGING)("%s stops without a yes, and changes no machine and no cluster", async (name) => {
    const { code, stderr } = await run(home.folder, name, WORDS[name] ?? []);
    expect([1, 64], stderr).toContain(code);
    expect(await askHome(home.folder, "status")).toMatchObject({ machines: [], api: "down" });
  });
});
