// Which version is older, by its minor: that decides whether a config may say more than a node knows.
import { expect, test } from "vitest";
import { isOlder } from "../../../scripts/lib/talos/version.ts";

test.each([
  ["v1.13.9", "v1.14.0", true],
  ["v1.13.9", "v1.14.0-rc.1", true],
  ["v1.9.5", "v1.14.0", true],
  ["v1.13.2", "v1.13.9", false],
  ["v1.14.0", "v1.13.9", false],
  ["v1.14.0", "v2.0.0", true],
])("%s is older than %s: %s", (one, other, older) => expect(isOlder(one, other)).toBe(older));
