// The runbook's commands, as they stand on the page, lived through in a simulated home.
import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askHome, environmentOf, layoutOf } from "../simulators/control.ts";
import { lodge, type Lodging, run } from "../rehearsal/day.ts";

let home: Lodging;
beforeAll(async () => {
  home = await lodge({ project: process.cwd() });
  expect(shell("echo '# my home' >> talos/cluster.yaml")).toMatchObject({ status: 0 });
});
afterAll(() => home?.close());

/** As a person types it, in the fork. */
const shell = (line: string) =>
  spawnSync("bash", ["-c", line], { cwd: layoutOf(home.folder).repo, env: environmentOf(home.folder, { SHLVL: "1" }), encoding: "utf8" });

/** Lines of the page's sh blocks. */
const commands = [...readFileSync("docs/runbooks/bootstrap.md", "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
  block!.trim().split("\n"),
);

test("the page has the whole way", () =>
  expect(commands.slice(0, 8)).toEqual([
    "task configure",
    "git commit --all --message 'feat: my home' && git push",
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
      const ran = shell(line);
      expect(ran.status, ran.stderr).toBe(0);
    }
  },
  120_000,
);
