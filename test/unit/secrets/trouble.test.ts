// One clear message for what concerns every reference, with the command that goes on.
import { beforeEach, expect, test } from "vitest";
import { begin, openGate } from "../../../scripts/lib/run/effects.ts";
import { silentReport } from "../../../scripts/lib/run/report.ts";
import { meansNoItem, plain, troubleOf } from "../../../scripts/lib/secrets/op-error.ts";

beforeEach(() => openGate(silentReport, false));

const AT = "[ERROR] 2026/06/01 12:00:00 ";

test.each([
  [{ text: "bash: line 1: op: command not found", exitCode: 127 }, "1Password's command-line tool, op, is not on the PATH", "mise install"],
  [{ text: "spawnSync op ENOENT" }, "1Password's command-line tool, op, is not on the PATH", "mise install"],
  [{ text: "CLI version 2.1.0 does not satisfy required version >=2.30.0" }, "2.1.0", "mise install"],
  [
    { text: `${AT}You are not currently signed in. Please run \`op signin --help\` for instructions`, exitCode: 1 },
    "not currently signed in",
    "eval $(op signin)",
  ],
  [{ text: `${AT}account is not signed in`, exitCode: 1 }, "account is not signed in", "eval $(op signin)"],
  [{ text: `${AT}session expired, sign in to create a new session`, exitCode: 1 }, "session expired", "eval $(op signin)"],
  [{ text: `${AT}authorization prompt dismissed, please try again`, exitCode: 1 }, "prompt dismissed", "eval $(op signin)"],
  [{ text: "No accounts configured for use with 1Password CLI.", exitCode: 1 }, "No accounts", "op account add"],
  [{ text: `${AT}(429) Too Many Requests: retry in 58 minutes`, exitCode: 1 }, "retry in 58 minutes", "op service-account ratelimit"],
  [{ text: `${AT}(401) Unauthorized: invalid token`, exitCode: 1 }, "Unauthorized", "make a new token"],
  [{ text: `${AT}dial tcp: lookup my.1password.com: no such host`, exitCode: 1 }, "no such host", "reach 1Password"],
  [
    { text: `${AT}"Infrastructure" isn't a vault in this account. Specify the vault with its ID or name.`, exitCode: 1 },
    "isn't a vault",
    'op vault create "Infrastructure"',
  ],
  [{ text: "", exitCode: null, signal: "SIGTERM" }, "did not answer in time", "the same command again"],
])("%j", (ending, said, next) => {
  const { account } = troubleOf(ending, "resolve 3 references in 1Password")!;
  expect(account.attempted).toBe("resolve 3 references in 1Password");
  expect(account.said).toContain(said);
  expect(account.next).toContain(next);
  expect(account.now).toBe("nothing was changed");
});

test("what op says about one item is no such trouble", () =>
  expect(
    troubleOf({ text: `${AT}could not read secret 'op://v/i/f': "i" isn't an item in the "v" vault`, exitCode: 1 }, "x"),
  ).toBeUndefined());
test("after something was changed it does not say that nothing was", () => {
  begin("command", "op item create")(true);
  expect(troubleOf({ text: "not signed in" }, "x")!.account.now).toBeUndefined();
});
test("an absent item is told from an absent field", () => {
  expect(meansNoItem(`"i" isn't an item in the "v" vault`)).toBe(true);
  expect(meansNoItem("item 'v/i' does not have a field 'f'")).toBe(false);
});
test("op's time stamp is left out", () => expect(plain(`${AT}account is not signed in\n`)).toBe("account is not signed in"));
