// In whose name op speaks, and what that one cannot do.
import { expect, test } from "vitest";
import { modeOf } from "../../../scripts/lib/secrets/mode.ts";

test("a person, when nothing is set", () => expect(modeOf({})).toMatchObject({ how: "signed-in", keepsItems: true }));
test("a service account", () =>
  expect(modeOf({ OP_SERVICE_ACCOUNT_TOKEN: "ops_x" })).toMatchObject({ how: "service-account", keepsItems: true }));
test("Connect wins, as in op", () =>
  expect(modeOf({ OP_SERVICE_ACCOUNT_TOKEN: "ops_x", OP_CONNECT_HOST: "http://nas:8080", OP_CONNECT_TOKEN: "ey" })).toMatchObject({
    how: "connect",
    says: "the Connect server at http://nas:8080",
    keepsItems: false,
  }));
test("no mode shows its token", () =>
  expect(
    JSON.stringify([modeOf({ OP_SERVICE_ACCOUNT_TOKEN: "ops_secret" }), modeOf({ OP_CONNECT_HOST: "h", OP_CONNECT_TOKEN: "ey_secret" })]),
  ).not.toContain('secret"'));
test.each([
  [{ OP_CONNECT_TOKEN: "ey" }, "OP_CONNECT_TOKEN is set without OP_CONNECT_HOST: set both or neither"],
  [{ OP_CONNECT_HOST: "h" }, "OP_CONNECT_HOST is set without OP_CONNECT_TOKEN: set both or neither"],
])("%j is refused", (env, message) => expect(() => modeOf(env)).toThrow(message));
