// The preflight's checks: every result is shown, what is bad blocks, what is unknown does not.
import { describe, expect, test } from "vitest";
import { aheadOf, clockVerdict, hostsVerdict } from "../../../scripts/lib/bootstrap/preflight/hosts.ts";
import { lookAtTools, toolsFor } from "../../../scripts/lib/bootstrap/preflight/tools.ts";
import { refuseUnknownGit } from "../../../scripts/bootstrap/preflight.ts";
import { type Result, runChecks } from "../../../scripts/lib/bootstrap/preflight/verdict.ts";
import { record } from "../recorder.ts";
import { testVersions } from "../test-cluster.ts";

const GOOD = {
  "talosctl version": "Talos v1.13.9\n",
  "kubectl version": "Client Version: v1.36.5\nKustomize Version: v5.8.1\n",
  "helm version": "v4.2.4+g6d1c4d0",
  "helmfile --version": "helmfile version 1.8.0",
  "flux version": "flux: v2.9.4",
  "op --version": "2.32.0",
};

describe("tools", () => {
  test("that fit are all named", async () => {
    await record({ answers: GOOD });
    expect(await lookAtTools(testVersions)).toEqual({
      state: "ok",
      saw: "talosctl 1.13.9, kubectl 1.36.5, helm 4.2.4, helmfile 1.8.0, flux 2.9.4, op 2.32.0",
    });
  });
  test("that are missing or too old are each named with the reason", async () => {
    await record({
      answers: { ...GOOD, "talosctl version": "Talos v1.12.0", "op --version": { err: "bash: line 1: op: command not found", code: 127 } },
    });
    expect(await lookAtTools(testVersions)).toEqual({
      state: "bad",
      saw: "talosctl 1.12.0 does not fit ~1.13: Talos is v1.13.9\nop is not to be had: bash: line 1: op: command not found",
      fix: "mise install",
    });
  });
  test("kubectl may be one minor off", () =>
    expect(toolsFor(testVersions).find(({ name }) => name === "kubectl")!.range).toBe(">=1.35 <1.38"));
});

describe("checks", () => {
  test("run at once, and one that throws is bad with its words", async () => {
    const { context } = await record();
    const order: string[] = [];
    const slow = {
      name: "slow",
      look: async () => (
        order.push("slow begins"),
        await Promise.resolve(),
        order.push("slow ends"),
        { state: "ok" as const, saw: "fine" }
      ),
    };
    const thrower = { name: "thrower", look: async () => (order.push("thrower begins"), Promise.reject(new Error("no such host"))) };
    expect(await runChecks([slow, thrower], context)).toEqual([
      { name: "slow", state: "ok", saw: "fine", waived: false },
      { name: "thrower", state: "bad", saw: "no such host", waived: false },
    ]);
    expect(order.slice(0, 2)).toEqual(["slow begins", "thrower begins"]);
  });
  test("a bad one can be waived by name", async () => {
    const { context } = await record();
    const bad = { name: "hosts", look: async () => ({ state: "bad" as const, saw: "down" }) };
    expect(await runChecks([bad], { ...context, waive: ["hosts"] })).toMatchObject([{ waived: true }]);
  });
});

describe("hosts and clock", () => {
  const url = (host: string) => ({ url: `https://${host}/v2/`, why: "charts" });
  test("all reached: named", () =>
    expect(hostsVerdict([url("quay.io"), url("ghcr.io")])).toEqual({ state: "ok", saw: "quay.io, ghcr.io" }));
  test("one not reached: which, why it is needed, and what was said", () =>
    expect(hostsVerdict([url("quay.io"), { ...url("ghcr.io"), error: "getaddrinfo ENOTFOUND ghcr.io" }])).toEqual({
      state: "bad",
      saw: "ghcr.io (charts): getaddrinfo ENOTFOUND ghcr.io",
      fix: "check this machine's network and proxy",
    }));
  test("a clock that agrees is ok", () => expect(clockVerdict([{ ...url("a"), ahead: -2 }])).toEqual({ state: "ok", saw: "2 s behind" }));
  test("one wrong host does not make the clock wrong", () =>
    expect(
      clockVerdict([
        { ...url("a"), ahead: 1 },
        { ...url("b"), ahead: 1 },
        { ...url("c"), ahead: 4000 },
      ]).state,
    ).toBe("ok"));
  test("a clock that is far off is bad", () =>
    expect(clockVerdict([{ ...url("a"), ahead: 95 }])).toEqual({
      state: "bad",
      saw: "95 s ahead",
      fix: "set this machine's clock: timedatectl set-ntp true",
    }));
  test("without any answer it is unknown", () => expect(clockVerdict([{ ...url("a"), error: "x" }]).state).toBe("unknown"));
});

describe("a remote that cannot be reached", () => {
  const git = (state: Result["state"]): Result[] => [{ name: "git", state, saw: "the remote cannot be reached: no route", waived: false }];
  test("stops what waits for Flux", () =>
    expect(() => refuseUnknownGit(git("unknown"), [], "task bootstrap")).toThrow(
      "could not find out what Flux will fetch\n  said: the remote cannot be reached: no route\n  now:  nothing was changed\n  next: task bootstrap; WAIVE=git skips this check",
    ));
  test("does not when it is waived, and an answer does not", () => {
    expect(() => refuseUnknownGit(git("unknown"), ["git"], "task bootstrap")).not.toThrow();
    expect(() => refuseUnknownGit(git("ok"), [], "task bootstrap")).not.toThrow();
  });
});

describe("a clock, judged from an answer that took a while", () => {
  const at = (seconds: number) => seconds * 1000;
  test.each([
    ["as the host's", 100, 100, 100, 0],
    ["that cannot be told from the host's: the answer took a minute", 130, 100, 160, 0],
    ["ahead", 100, 190, 191, 90],
    ["behind", 191, 100, 101, -90],
    ["of which a slow answer still says that it is ahead", 100, 140, 200, 40],
  ])("%s", (_, host, sent, received, ahead) => expect(aheadOf(at(host), at(sent), at(received))).toBe(ahead));
  test("of a host that sends no time is unknown", () => expect(aheadOf(NaN, 0, 1)).toBeUndefined());
});
