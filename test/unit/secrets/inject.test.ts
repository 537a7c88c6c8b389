// One `op inject` for all; values come back as they are, whatever they hold; a failed one is followed by a question for each reference.
import { afterEach, describe, expect, test, vi } from "vitest";
import { forgetSecrets } from "../../../scripts/lib/run/redact.ts";
import { fromOp, readBack, template } from "../../../scripts/lib/secrets/inject.ts";
import { record } from "../recorder.ts";

vi.mock("node:crypto", async (original) => ({
  ...(await original<typeof import("node:crypto")>()),
  randomBytes: (bytes: number) => Buffer.alloc(bytes, 0xab),
}));
const NONCE = "ab".repeat(16);

afterEach(forgetSecrets);

const A = "op://Infrastructure/talos/CLUSTER_ID";
const B = "op://Infrastructure/talos/CLUSTER_SECRET";
const C = "op://Infrastructure/esxi/add more/host";

/** What op makes of the template when these are the values. */
const filled = (values: string[]) => values.map((value, index) => `BEGIN ${NONCE} ${index}\n${value}\nEND ${NONCE} ${index}\n`).join("");

test("the template is this, on stdin, of one process", async () => {
  const lab = await record({ answers: { "cat | op inject": filled(["one", "two", "esx.home"]) } });
  const answers = await fromOp([A, B, C]);
  expect(lab.commands).toEqual(["ask cat | op inject"]);
  expect(lab.stdin["cat | op inject"]).toBe(
    `BEGIN ${NONCE} 0\n{{ ${A} }}\nEND ${NONCE} 0\nBEGIN ${NONCE} 1\n{{ ${B} }}\nEND ${NONCE} 1\nBEGIN ${NONCE} 2\n{{ ${C} }}\nEND ${NONCE} 2\n`,
  );
  expect([...answers]).toEqual([
    [A, { value: "one" }],
    [B, { value: "two" }],
    [C, { value: "esx.home" }],
  ]);
  expect(lab.effects).toEqual([]);
});

test("where op inject does not take spaces, it gets the references without, and op read the others", async () => {
  const lab = await record({
    answers: {
      "cat | op inject": [{ err: "could not read secret 'op://Infrastructure/esxi/add'", code: 1 }, filled(["one", "two"])],
      "op read": "esx.home",
    },
  });
  const answers = await fromOp([A, C, B]);
  expect(lab.commands).toEqual(["ask cat | op inject", "ask cat | op inject", `ask op read --no-newline $'${C}'`]);
  expect(answers).toEqual(
    new Map([
      [A, { value: "one" }],
      [B, { value: "two" }],
      [C, { value: "esx.home" }],
    ]),
  );
});

describe("a value may hold anything", () => {
  test.each([
    ["quotes", `it's "so" \`really\``],
    ["what a shell runs", "$(reboot) ${HOME} $PATH !! \\"],
    ["lines", "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"],
    ["white space around", "  \n padded \t\n\n"],
    ["a template", "{{ op://Infrastructure/talos/CLUSTER_ID }} }} {{"],
    ["our own lines without the number", "BEGIN 0\nEND 0\n"],
    ["letters of the world", "pässwört ключ 鍵 🔑"],
    ["carriage returns", "a\r\nb\r\n"],
  ])("%s", async (_what, value) => {
    await record({ answers: { "cat | op inject": filled([value, "after"]) } });
    expect([...(await fromOp([B, A]))]).toEqual([
      [B, { value }],
      [A, { value: "after" }],
    ]);
  });
  test("but not nothing", async () => {
    await record({ answers: { "cat | op inject": filled(["", "after"]) } });
    expect((await fromOp([A, B])).get(A)).toEqual({ missing: "the field has no value" });
  });
});

test("reading back what was filled in is the template's inverse", () => {
  const references = [A, B, C];
  expect(readBack(template(references, "n"), references, "n")).toBeUndefined(); // left as it was: op did not take it for a reference
  expect(readBack("BEGIN n 0\nx\n", [A], "n")).toBeUndefined();
  expect(readBack("BEGIN n 0\n\nEND n 0\n", [A], "n")).toEqual([""]);
});

describe("when inject fails", () => {
  const REFUSED = { err: "[ERROR] 2026/06/01 12:00:00 could not read secret\n", code: 1 };
  test("every reference is asked for, and every one that fails is named", async () => {
    const lab = await record({
      answers: {
        "cat | op inject": REFUSED,
        [`op read --no-newline ${A}`]: "id",
        [`op read --no-newline ${B}`]: {
          err: "[ERROR] 2026/06/01 12:00:00 item 'Infrastructure/talos' does not have a field 'CLUSTER_SECRET'\n",
          code: 1,
        },
        "op read --no-newline $'op://Infrastructure/esxi/add more/host'": {
          err: `[ERROR] 2026/06/01 12:00:00 "esxi" isn't an item in the "Infrastructure" vault\n`,
          code: 1,
        },
      },
    });
    expect(Object.fromEntries(await fromOp([A, B, C]))).toEqual({
      [A]: { value: "id" },
      [B]: { missing: "item 'Infrastructure/talos' does not have a field 'CLUSTER_SECRET'" },
      [C]: { missing: `"esxi" isn't an item in the "Infrastructure" vault` },
    });
    expect(lab.commands).toHaveLength(5); // inject once more, for the references without a space
  });
  test("of an item that is not there, one question is enough", async () => {
    const lab = await record({
      answers: { "cat | op inject": REFUSED, "op read": { err: `"talos" isn't an item in the "Infrastructure" vault`, code: 1 } },
    });
    const answers = await fromOp([A, B]);
    const missing = `"talos" isn't an item in the "Infrastructure" vault`;
    expect([...answers.values()]).toEqual([{ missing }, { missing }]);
    expect(lab.commands).toEqual(["ask cat | op inject", `ask op read --no-newline ${A}`]);
  });
  test("nothing more is asked when nobody is signed in", async () => {
    const lab = await record({
      answers: { "cat | op inject": { err: "[ERROR] 2026/06/01 12:00:00 account is not signed in\n", code: 1 } },
    });
    await expect(fromOp([A, B])).rejects.toThrow(
      "could not resolve 2 references in 1Password\n  said: account is not signed in\n  now:  nothing was changed\n  next: eval $(op signin), then the same command again",
    );
    expect(lab.commands).toEqual(["ask cat | op inject"]);
  });
  test("a limit that is reached between the questions ends them", async () => {
    await record({ answers: { "cat | op inject": REFUSED, "op read": { err: "(429) Too Many Requests", code: 1 } } });
    await expect(fromOp([A, B])).rejects.toThrow("(429) Too Many Requests");
  });
  test("op that is not there is said so", async () => {
    await record({ answers: { "cat | op inject": { err: "bash: line 1: op: command not found", code: 127 } } });
    await expect(fromOp([A])).rejects.toThrow("is not on the PATH\n  now:  nothing was changed\n  next: mise install");
  });
  test("a failure without a word is no missing field", async () => {
    await record({ answers: { "cat | op inject": REFUSED, "op read": { code: 3 } } });
    await expect(fromOp([A])).rejects.toThrow("op ended with 3 and no word");
  });
});
