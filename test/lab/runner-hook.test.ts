// The hook of the home's GitHub runner, run as the runner does: which jobs end before their first step.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect } from "vitest";
import { testWith } from "./needs.ts";

const HOOK = resolve(import.meta.dirname, "../../kubernetes/apps/actions-runner-system/home-ops-runner/app/resources/job-started.sh");
const folder = mkdtempSync(join(tmpdir(), "hook-"));
afterAll(() => rmSync(folder, { recursive: true }));

function hook(event: string) {
  const file = join(folder, "event.json");
  writeFileSync(file, event);
  const env = { PATH: process.env.PATH, GITHUB_EVENT_PATH: file, GITHUB_REPOSITORY: "somebody/home-ops" };
  const { status, stdout } = spawnSync("bash", [HOOK], { env, encoding: "utf8" });
  return [status, stdout.trim()];
}
const pull = (repo: object | null) => JSON.stringify({ pull_request: { head: { repo } } });
const refused = (whose: string) => [1, `::error::pull requests from forks do not run here: ${whose}`];

testWith("jq").each([
  ["a push", "{}", [0, ""]],
  ["a pull request of this repository", pull({ full_name: "somebody/home-ops" }), [0, ""]],
  ["a pull request of a fork", pull({ full_name: "stranger/home-ops" }), refused("stranger/home-ops")],
  ["a pull request of a fork that was deleted", pull(null), refused("a deleted fork")],
  [
    "a workflow after a fork's",
    JSON.stringify({ workflow_run: { head_repository: { full_name: "stranger/home-ops" } } }),
    refused("stranger/home-ops"),
  ],
])("%s", (_name, event, ended) => {
  expect(hook(event)).toEqual(ended);
});

testWith("jq")("an event that cannot be read ends the job too", () => {
  expect(hook("{").at(0)).not.toBe(0);
});
