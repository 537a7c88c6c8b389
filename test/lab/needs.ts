// Tools that a laptop may not have: tests that need one are skipped there and say so, and fail where they must not be missing.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** `test` if the tool is on the PATH; otherwise a skipped test that names it, or a failing one where HOME_OPS_REQUIRE_TOOLS is set. */
export function testWith(tool: string): typeof test {
  const there = spawnSync(tool, ["--version"]).status === 0;
  if (there) return test;
  if (process.env.HOME_OPS_REQUIRE_TOOLS) {
    test(`${tool} is on the PATH, for its tests must not be skipped here`, () => expect(there).toBe(true));
  }
  return test.skip as unknown as typeof test;
}
