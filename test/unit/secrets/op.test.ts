// What op-js is asked, word for word, and what becomes of its traps.
import { afterEach, describe, expect, test, vi } from "vitest";
import { expectOp, getItem, listItems, lookAtSignIn, whoIsSignedIn } from "../../../scripts/lib/secrets/op.ts";
import { tally } from "../../../scripts/lib/run/shell.ts";
import { record } from "../recorder.ts";
import { fakeOp, item } from "./fake-op.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("version, sign-in, items: one process each, counted", async () => {
  const op = fakeOp([item("talos", { CLUSTER_ID: "x" })]);
  const before = tally.op;
  await expectOp();
  expect(await whoIsSignedIn({})).toBe("operator@example.com at https://my.1password.com");
  const [listed] = await listItems("Infrastructure");
  expect((await getItem(listed!, "Infrastructure")).fields).toHaveLength(1);
  expect(op.lines).toEqual([
    "op --version",
    "op whoami --format=json",
    "op item list --vault=Infrastructure --format=json",
    "op item get id-of-talos --vault=Infrastructure --format=json",
  ]);
  expect(tally.op - before).toBe(4);
});

describe("version", () => {
  test("too old", async () => {
    fakeOp().says["--version"] = { out: "2.24.0" };
    await expect(expectOp()).rejects.toThrow("CLI version 2.24.0 does not satisfy required version >=2.30.0");
  });
  test("not there", async () => {
    fakeOp();
    vi.stubEnv("PATH", "/nonexistent");
    await expect(expectOp()).rejects.toThrow(
      "could not use 1Password's command-line tool\n  said: 1Password's command-line tool, op, is not on the PATH",
    );
  });
});

describe("sign-in", () => {
  test("nobody", async () => {
    fakeOp().says.whoami = { err: "[ERROR] 2026/06/01 12:00:00 account is not signed in\n", code: 1 };
    await expect(whoIsSignedIn({})).rejects.toThrow(
      "could not see who is signed in to 1Password\n  said: you are not signed in\n  now:  nothing was changed\n  next: eval $(op signin)",
    );
  });
  test("a limit is told in op's words", async () => {
    fakeOp().says.whoami = { err: "[ERROR] 2026/06/01 12:00:00 (429) Too Many Requests: retry in 58 minutes\n", code: 1 };
    await expect(whoIsSignedIn({})).rejects.toThrow("said: (429) Too Many Requests: retry in 58 minutes");
  });
  test("Connect has no account, so op is not asked", async () => {
    const op = fakeOp();
    expect(await whoIsSignedIn({ OP_CONNECT_HOST: "http://nas", OP_CONNECT_TOKEN: "ey" })).toBe("the Connect server at http://nas");
    expect(op.lines).toEqual([]);
  });
  test("the preflight says who, and what that one cannot do", async () => {
    fakeOp();
    expect(await lookAtSignIn({ env: {} })).toEqual({
      state: "ok",
      saw: "signed in: operator@example.com at https://my.1password.com; cannot run unattended: the session ends after 30 minutes, or the app asks",
    });
    expect((await lookAtSignIn({ env: { OP_CONNECT_HOST: "http://nas", OP_CONNECT_TOKEN: "ey" } })).saw).toMatch(
      /^the Connect server at http:\/\/nas; cannot list or make items/,
    );
  });
});

describe("traps of op-js", () => {
  test("a warning does not lose the answer", async () => {
    const op = fakeOp();
    op.says["item list"] = { out: "[]", err: "[WARN] a newer version is there\n" };
    const lab = await record({ answers: { "op item list --vault=Infrastructure --format=json": '[{"id":"1","title":"talos"}]' } });
    expect(await listItems("Infrastructure")).toEqual([{ id: "1", title: "talos" }]);
    expect(lab.commands).toEqual(["ask op item list --vault=Infrastructure --format=json"]);
  });
  test("a failure without a word is no empty answer", async () => {
    fakeOp().says["item list"] = { code: 3 };
    await record({ answers: { "op item list": { code: 3 } } });
    await expect(listItems("Infrastructure")).rejects.toThrow(
      "could not list the items of vault Infrastructure\n  said: op ended with 3 and no word",
    );
  });
  test("a vault without items is no failure", async () => {
    fakeOp().says["item list"] = { out: "" };
    await record({ answers: { "op item list": "", "op vault get Infrastructure --format=json": '{"id":"v","items":0}' } });
    expect(await listItems("Infrastructure")).toEqual([]);
  });
  test("a list that prints nothing of a vault with items is no empty vault", async () => {
    fakeOp().says["item list"] = { out: "" };
    await record({ answers: { "op item list": "", "op vault get Infrastructure --format=json": '{"id":"v","items":51}' } });
    await expect(listItems("Infrastructure")).rejects.toThrow("op printed nothing, but the vault has items");
  });
  test.each([
    ["a warning", "Update available!\n[]", "it is not JSON"],
    ["a part", '[{"id":"1","title":"hunter2', "it is cut off after 27 characters"],
    ["an object", "{}", "it is an object, not a list"],
    ["items without a title", '[{"id":"1"}]', "[0].title is missing, not a string"],
  ])("%s in place of the list is one line, without what it says", async (_what, out, said) => {
    fakeOp().says["item list"] = { out };
    await record({ answers: { "op item list": out } });
    vi.spyOn(console, "log").mockImplementation(() => {}); // in its own process op-js prints to nowhere
    const message = String(await listItems("Infrastructure").catch((error: unknown) => (error as Error).message));
    expect(message).toBe(`could not read the output of \`op item list --vault=Infrastructure --format=json\`: ${said}`);
  });
  test("an item that says nothing is one", async () => {
    fakeOp().says["item get"] = { out: "" };
    await record({ answers: { "op item get": "" } });
    await expect(getItem({ id: "1", title: "talos" }, "Infrastructure")).rejects.toThrow("op said nothing");
  });
  test("op's own message is shown, not `Unknown error`", async () => {
    fakeOp().says["item list"] = { err: "something without a stamp\n", code: 1 };
    await expect(listItems("Infrastructure")).rejects.toThrow("said: something without a stamp");
  });
  test("a vault that is not there says how to make it", async () => {
    fakeOp().says["item list"] = {
      err: `[ERROR] 2026/06/01 12:00:00 "Home" isn't a vault in this account. Specify the vault with its ID or name.\n`,
      code: 1,
    };
    await expect(listItems("Home")).rejects.toThrow('next: op vault create "Home"');
  });
  test("a name that would get backslashes is refused before op runs", async () => {
    const op = fakeOp();
    await expect(listItems("Bob's")).rejects.toThrow("vault Bob's: a name with quotes, $ or \\ cannot be used, give its ID");
    expect(op.lines).toEqual([]);
  });
});
