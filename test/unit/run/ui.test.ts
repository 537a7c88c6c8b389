// What the person sees and is asked; waiting with a deadline.
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Collected, documentOf, type ErrorDocument, printDocument } from "../../../scripts/lib/run/document.ts";
import { Failure, textOf } from "../../../scripts/lib/run/errors.ts";
import { forgetSecrets, hide } from "../../../scripts/lib/run/redact.ts";
import { nearest } from "../../../scripts/lib/text/nearest.ts";
import { table, terminal, type UiSetup } from "../../../scripts/lib/run/ui.ts";
import { until, useClock } from "../../../scripts/lib/run/wait.ts";
import { stillClock } from "../recorder.ts";

function screen(setup: Partial<UiSetup> = {}) {
  const texts = { out: "", err: "" };
  const sink = (name: "out" | "err", isTTY = false) =>
    Object.assign(new Writable({ write: (chunk, _, done) => ((texts[name] += String(chunk)), done()) }), { isTTY, columns: 40 });
  const ui = terminal({ dryRun: false, yes: false, json: false, debug: false, out: sink("out"), err: sink("err"), ...setup });
  return { ui, texts, live: () => sink("err", true) };
}
const PLAN = { title: "talos:apply k8s-0", lines: ["- old", "+ new"] };
const DELETE = { title: "vm:delete k8s_0", lines: [], destroys: { what: ["zvol tank/VM/k8s_0-boot, 500 GB"], name: "k8s_0" } };

describe("a plan", () => {
  test("is shown, and No is the answer to Enter", async () => {
    const { ui, texts } = screen({ question: async () => "" });
    await expect(ui.confirm(PLAN)).rejects.toThrow("nothing was changed");
    expect(texts.err).toBe("talos:apply k8s-0\n  - old\n  + new\n");
  });
  test.each(["y", "yes", " Y "])("goes on at %j", async (answer) =>
    expect(await screen({ question: async () => answer }).ui.confirm(PLAN)).toBe("asked"),
  );
  test("goes on with YES=1 without asking", async () => expect(await screen({ yes: true }).ui.confirm(PLAN)).toBe("given"));
  test("ends a dry run, with changes pending, even with YES=1", async () => {
    await expect(screen({ yes: true, dryRun: true }).ui.confirm(PLAN)).rejects.toMatchObject({
      message: "dry run: nothing was changed",
      pending: true,
    });
  });
  test("never waits where nobody can answer", async () => {
    await expect(screen().ui.confirm(PLAN)).rejects.toThrow(
      "no terminal to ask on: pass YES=1 (--yes) to continue, DRY_RUN=1 (--dry-run) to only look",
    );
  });
});

describe("what cannot be got back", () => {
  test("is listed, and YES=1 is not enough", async () => {
    const { ui, texts } = screen({ yes: true });
    await expect(ui.confirm(DELETE)).rejects.toThrow("this cannot be undone: pass CONFIRM=k8s_0 (--confirm k8s_0) to continue");
    expect(texts.err).toContain("  cannot be undone:\n    zvol tank/VM/k8s_0-boot, 500 GB\n");
  });
  test.each(["k8s-2,k8s-0", "k8s-0, k8s-2"])("goes on with the right names in any order: %s", async (confirmed) => {
    const several = { ...DELETE, destroys: { ...DELETE.destroys!, name: "k8s-0,k8s-2" } };
    expect(await screen({ confirmed }).ui.confirm(several)).toBe("given");
    await expect(screen({ confirmed: "k8s-0" }).ui.confirm(several)).rejects.toThrow(
      "does not name what would be lost: CONFIRM=k8s-0,k8s-2",
    );
  });
  test("goes on with the right name", async () => expect(await screen({ confirmed: "k8s_0" }).ui.confirm(DELETE)).toBe("given"));
  test("is refused with another name", async () =>
    await expect(screen({ confirmed: "k8s_1" }).ui.confirm(DELETE)).rejects.toThrow(
      "CONFIRM=k8s_1 does not name what would be lost: CONFIRM=k8s_0",
    ));
  test("goes on when the name is typed", async () =>
    expect(await screen({ question: async () => "k8s_0 " }).ui.confirm(DELETE)).toBe("asked"));
  test("stops when something else is typed", async () =>
    await expect(screen({ question: async () => "yes" }).ui.confirm(DELETE)).rejects.toThrow("nothing was changed"));
});

describe("output", () => {
  test("data goes to stdout, lines to stderr", () => {
    const { ui, texts } = screen();
    ui.say("a line");
    ui.warn("careful");
    ui.result({ a: 1 }, "for people");
    expect(texts).toEqual({ out: "for people\n", err: "a line\nwarning: careful\n" });
  });
  test("OUTPUT=json collects the value, and prints nothing before the end", () => {
    const collected: Collected = { said: [] };
    const { ui, texts } = screen({ json: true, collected });
    ui.result({ a: 1 }, "for people");
    ui.say("done");
    expect([texts.out, collected]).toEqual(["", { result: { value: { a: 1 } }, said: ["done"] }]);
  });
  test("progress in a pipe is at most a line in ten seconds", () => {
    let now = 0;
    const { ui, texts } = screen({ now: () => now });
    for (; now <= 25_000; now += 1000) ui.progress(`at ${now}`);
    expect(texts.err).toBe("at 0\nat 10000\nat 20000\n");
  });
  test("progress on a terminal is one line, cut to its width, and goes away", () => {
    const seen = screen();
    const ui = terminal({ dryRun: false, yes: false, json: false, debug: false, err: seen.live() });
    ui.progress("x".repeat(100));
    ui.say("done");
    expect(seen.texts.err.replaceAll("\u001b[2m", "").replaceAll("\u001b[22m", "")).toBe(`\r\u001b[K${"x".repeat(38)}…\r\u001b[Kdone\n`);
  });
  test("debug lines are shown only when asked for", () => {
    const [quiet, loud] = [screen(), screen({ debug: true })];
    quiet.ui.debug("x");
    loud.ui.debug("x");
    expect([quiet.texts.err, loud.texts.err]).toEqual(["", "x\n"]);
  });
  test("a table is padded and has no trailing blanks", () =>
    expect(
      table(
        ["node", "stage"],
        [
          ["k8s-0", "running"],
          ["a", undefined],
        ],
      ),
    ).toBe("node   stage\nk8s-0  running\na      -"));
});

describe("waiting", () => {
  beforeEach(() => useClock(stillClock()));
  const patience = { for: "k8s-0 to answer", seconds: 10, ui: screen().ui, signal: new AbortController().signal };
  test("asks at once, then at growing intervals", async () => {
    const clock = stillClock();
    useClock(clock);
    let left = 4;
    expect(await until(async () => (left-- > 0 ? { waiting: "not yet" } : { ready: "here" }), patience)).toBe("here");
    expect(clock.pauses).toEqual([100, 150, 225, 338]);
  });
  test("ends at the deadline with the last reason and the next command", async () => {
    const failure = until(async () => ({ waiting: "connection refused" }), { ...patience, next: "task talos:status" });
    await expect(failure).rejects.toThrow(
      "could not wait for k8s-0 to answer within 10 s\n  said: connection refused\n  next: task talos:status",
    );
  });
  test("goes on as long as there is more than before, and ends when nothing came for the whole patience", async () => {
    const clock = stillClock();
    useClock(clock);
    let looks = 0;
    const until8 = until(async () => ({ waiting: "not all", progress: Math.min((looks += 1), 8) }), patience);
    await expect(until8).rejects.toThrow("could not wait for k8s-0 to answer within 10 s");
    const [begun, all] = [clock.pauses.slice(0, 7), clock.pauses].map((pauses) => pauses.reduce((sum, ms) => sum + ms, 0));
    expect(all! - begun!).toBeGreaterThanOrEqual(10_000);
    expect(all).toBeGreaterThan(15_000);
  });
  test("ends at the deadline for all, however much comes", async () => {
    const clock = stillClock();
    useClock(clock);
    let far = 0;
    await expect(until(async () => ({ waiting: "not all", progress: (far += 1) }), { ...patience, atMost: 30 })).rejects.toThrow("not all");
    expect(clock.now()).toBeGreaterThanOrEqual(30_000);
    expect(clock.now()).toBeLessThan(36_000);
  });
  test("what the probe throws ends it", async () =>
    await expect(until(() => Promise.reject(new Error("wrong key")), patience)).rejects.toThrow("wrong key"));
});

test("a failure tells what was attempted, said, how things stand and what is next", () => {
  expect(
    new Failure({ attempted: "start k8s_0", said: "no memory\nreally", now: "the VM is stopped", next: "task vm:deploy" }).message,
  ).toBe("could not start k8s_0\n  said: no memory\n        really\n  now:  the VM is stopped\n  next: task vm:deploy");
});
test("the text of what was thrown is what the tool said", () => {
  expect(textOf({ exitCode: 1, signal: null, stderr: " no route to host \n", stdout: "x" })).toBe("no route to host");
  expect(textOf({ exitCode: 7, signal: null, stderr: "", stdout: "" })).toBe("exit code 7");
  expect(textOf(new Error("outer", { cause: new Error("inner") }))).toBe("outer: inner");
  expect(textOf("text")).toBe("text");
  const cause = Object.assign(new Error("at zx (file.ts:1:1)"), { exitCode: 1, signal: null, stderr: "refused", stdout: "" });
  expect(textOf(new Failure({ attempted: "apply secrets", said: "refused" }, { cause }))).toBe("could not apply secrets\n  said: refused");
});
test("the nearest word is within a third of its length", () => {
  expect(nearest("DRYRUN", ["DRY_RUN", "YES"])).toBe("DRY_RUN");
  expect(nearest("colour", ["node", "mode"])).toBeUndefined();
});

describe("after Ctrl-C", () => {
  const stopped = AbortSignal.abort(new Error("interrupted by SIGINT"));
  test("no plan is shown and nothing is asked", async () => {
    const { ui, texts } = screen({ signal: stopped, yes: true });
    await expect(ui.confirm(PLAN)).rejects.toThrow("interrupted by SIGINT");
    expect(texts.err).toBe("");
  });
  test("no progress is shown, a warning is", () => {
    const { ui, texts } = screen({ signal: stopped });
    ui.progress("waiting");
    ui.warn("a zvol stays");
    expect(texts.err).toBe("warning: a zvol stays\n");
  });
});

test("OUTPUT=json in a dry run collects the plan", async () => {
  const collected: Collected = { said: [] };
  const { ui, texts } = screen({ json: true, dryRun: true, collected });
  await expect(ui.confirm(PLAN)).rejects.toThrow("dry run");
  expect([texts.out, collected.plan]).toEqual(["", PLAN]);
});

describe("text from outside", () => {
  const SECRET = 'hunter2"quoted\\of-it';
  afterEach(forgetSecrets);
  const EVIL = `\u001b[2Kk8s-0\u202e \u009b31m${SECRET}`;
  test("reaches the terminal without control characters and secrets, whoever says it", async () => {
    hide([SECRET]);
    const { ui, texts } = screen({ yes: true, debug: true });
    ui.say(EVIL);
    ui.warn(EVIL);
    ui.debug(EVIL);
    ui.progress(EVIL);
    ui.result({}, EVIL);
    await ui.confirm({ title: EVIL, lines: [EVIL] });
    await ui.confirm({ title: EVIL, lines: [], destroys: { what: [EVIL], name: "x" } }).catch(() => {});
    for (const text of [texts.out, texts.err]) {
      expect(text).toContain("k8s-0 ********");
      expect(text).not.toMatch(/hunter2|quoted|of-it|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/); // oxlint-disable-line no-control-regex -- none of them may be there
    }
  });
  test("is made safe before it becomes JSON, in results, plans, sayings and errors", async () => {
    hide([SECRET]);
    const collected: Collected = { said: [] };
    const { ui } = screen({ json: true, dryRun: true, collected });
    const shown = "k8s-0 ********";
    const printed = (error?: ErrorDocument) => JSON.parse(printDocument(documentOf(collected, error))) as unknown;
    ui.say(EVIL);
    expect(printed()).toEqual({ said: [shown] });
    await ui.confirm({ title: EVIL, lines: [EVIL] }).catch(() => {});
    expect(printed()).toEqual({ plan: { title: shown, lines: [shown] } });
    delete collected.plan;
    ui.result({ said: EVIL, list: [{ [EVIL]: EVIL }], token: "of a manifest" }, "");
    expect(printed()).toEqual({ said: shown, list: [{ [shown]: shown }], token: "of a manifest" });
    expect(printed({ failed: EVIL, reason: `token: ${EVIL}` })).toMatchObject({
      error: { failed: shown, reason: "token: ******** ********" },
    });
  });
  test("has the colours of the terminal, not its own", () => {
    const { texts, live } = screen();
    const ui = terminal({ dryRun: false, yes: false, json: false, debug: false, err: live() });
    ui.warn("\u001b[31mred");
    expect(texts.err).toBe(process.env.NO_COLOR ? "warning: red\n" : "\u001b[33mwarning: red\u001b[39m\n");
  });
});
