// The runbook's commands, as they stand on the page, lived through in a simulated home.
import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askHome, environmentOf } from "../simulators/control.ts";
import { lodge, type Lodging, run } from "../rehearsal/day.ts";

let home: Lodging;
beforeAll(async () => void (home = await lodge({ project: process.cwd() })));
afterAll(() => home?.close());

/** Lines of the page's sh blocks. */
const commands = [...readFileSync("docs/runbooks/bootstrap.md", "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
  block!.trim().split("\n"),
);

test("the page has the whole way", () =>
  expect(commands.slice(0, 6)).toEqual([
    "task secrets:init",
    "task secrets:check",
    "task talos:talosconfig",
    "task talos:prepare-iso",
    "task vm:deploy",
    "task bootstrap",
  ]));

test.each(commands)(
  "%s",
  async (line) => {
    const [tool, ...words] = line.split(" ");
    if (tool === "task") {
      const ran = await run(
        home.folder,
        words[0]!,
        words[0] === "secrets:check" || words[0] === "talos:status" || words[0] === "leftovers" ? [] : ["--yes"],
      );
      expect(ran.code, ran.stderr).toBe(0);
      if (words[0] === "secrets:init") await askHome(home.folder, "person"); // the page says: put the listed values into 1Password
    } else {
      const ran = spawnSync(join(home.folder, "bin", tool!), words, { env: environmentOf(home.folder), encoding: "utf8" });
      expect(ran.status, ran.stderr).toBe(0);
    }
  },
  120_000,
);
