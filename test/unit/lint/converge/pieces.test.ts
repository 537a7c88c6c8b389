// The parts of the simulation by themselves: stages, durations, what is due first, what is sure to come before what, innermost circles.
import { describe, expect, it } from "vitest";
import { ancestry } from "../../../../scripts/lib/lint/converge/ancestry.ts";
import { applyStagesOf } from "../../../../scripts/lib/lint/converge/apply-stages.ts";
import { durationOf, secondsOf } from "../../../../scripts/lib/lint/converge/duration.ts";
import { innermost } from "../../../../scripts/lib/lint/converge/innermost.ts";
import { inWords, itemKey, kindKey, triedKey, whatOf } from "../../../../scripts/lib/lint/converge/keys.ts";
import { earliestFirst } from "../../../../scripts/lib/lint/converge/queue.ts";
import { run } from "../../../../scripts/lib/lint/converge/state.ts";
import { type How, need, type Step, type Unit } from "../../../../scripts/lib/lint/converge/step.ts";
import { object } from "./tree.ts";

const source = { file: "a.yaml", line: 1 };
const unit = (name: string, retry = 0): Unit => ({ name, opensWave: true, retry, source });

/** A step by name: what it needs (`how key`), what it brings, how long it takes. */
const step = (name: string, needs: string[], provides: string[], { takes = 1, retry = 0 } = {}): Step => ({
  name,
  unit: unit(name, retry),
  needs: needs.map((one) => {
    const [how, key] = one.split(" ");
    return need(key!, how as How, "needs %", source);
  }),
  provides,
  takes,
  source,
});

it("definitions, namespaces and roles first, then what ends in Class, then the rest, each in its own order", () => {
  const set = [
    object("v1 ConfigMap apps/a"),
    object("storage.k8s.io/v1 StorageClass b"),
    object("rbac.authorization.k8s.io/v1 ClusterRole c"),
    object("v1 Namespace apps"),
    object("other.io/v1 Namespace d"),
    object("rbac.authorization.k8s.io/v1 ClusterRoleBinding e"),
    object("apiextensions.k8s.io/v1 CustomResourceDefinition f"),
  ].map((one) => ({ object: one, source }));
  expect(applyStagesOf(set).map(({ name, objects }) => `${name}: ${objects.map(({ object }) => object.metadata.name).join(" ")}`)).toEqual([
    "definitions: c apps f",
    "classes: b",
    "the rest: a d e",
  ]);
  expect(applyStagesOf(set.slice(0, 1)).map(({ name }) => name)).toEqual(["the rest"]);
});

it.each([
  ["1h30m", 5400],
  ["90s", 90],
  ["1.5m", 90],
  ["500ms", 0.5],
  ["soon", 7],
  [undefined, 7],
])("%s is %s seconds", (text, seconds) => expect(secondsOf(text, 7)).toBe(seconds));

it.each([
  [0, "0s"],
  [59.6, "1m"],
  [3600, "1h"],
  [3725, "1h2m5s"],
])("%s seconds are %s", (seconds, text) => expect(durationOf(seconds)).toBe(text));

it("what is due first comes first; of two at once, the one that came first", () => {
  const queue = earliestFirst<string>();
  [5, 3, 9, 3, 1, 7].forEach((at, turn) => queue.add(at, turn, `${at}:${turn}`));
  const taken = Array.from({ length: 7 }, () => queue.take()?.value);
  expect(taken).toEqual(["1:4", "3:1", "3:3", "5:0", "7:5", "9:2", undefined]);
});

describe("a run", () => {
  it("an attempt that comes too early is repeated at its interval; a wait goes on at once", () => {
    const state = run(
      [
        step("maker", [], ["made"], { takes: 70 }),
        step("tries", ["attempt made"], ["a"], { takes: 0, retry: 60 }),
        step("waits", ["wait made"], ["b"], { takes: 0 }),
      ],
      [],
    );
    expect([state.reached.get("a")!.at, state.reached.get("b")!.at]).toEqual([120, 70]);
  });

  it("a whole API brings every kind of it that somebody needs", () => {
    const state = run([step("chart", [], ["group:a.io"]), step("user", [`attempt ${kindKey("a.io", "Thing")}`], ["used"])], []);
    expect(state.reached.has("used")).toBe(true);
    expect(run([step("user", ["attempt kind:a.io/Thing"], ["used"])], ["group:a.io"]).reached.has("used")).toBe(true);
    expect(run([step("user", ["attempt kind:b.io/Thing"], ["used"])], ["group:a.io"]).stuck()).toHaveLength(1);
  });

  it("what is granted sets free all that waits for it, and is known as granted", () => {
    const state = run([step("one", ["guard gone"], ["one"]), step("two", ["guard one"], ["two"])], []);
    expect(state.stuck().map(({ name }) => name)).toEqual(["one", "two"]);
    state.grant("gone");
    expect(state.stuck()).toEqual([]);
    expect([state.reached.get("gone")!.granted, state.reached.get("two")!.granted]).toEqual([true, undefined]);
  });
});

it("a step is sure to come before another only if that one waits for it, however far back; not if it merely was quicker", () => {
  const first = step("first", [], ["first"]);
  const middle = step("middle", ["attempt first"], ["middle"]);
  const after = step("after", ["guard middle"], ["after"]);
  const quick = step("quick", [], ["quick"]);
  const { precedes } = ancestry(run([first, middle, after, quick], []));
  expect([precedes(first, after), precedes(quick, after), precedes(first, middle), precedes(after, first)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

it("circles from which something leads out to another are not the cause", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => step(name, [], [])) as [Step, Step, Step, Step];
  const next = new Map<Step, Step[]>([
    [a, [b]],
    [b, [a, c]],
    [c, [d]],
    [d, [c]],
  ]);
  expect(innermost([a, b, c, d], (one) => next.get(one)!).map((set) => set.map(({ name }) => name).sort())).toEqual([["c", "d"]]);
});

it.each([
  [kindKey("a.io", "Thing"), "the kind Thing (a.io)"],
  [triedKey({ group: "a.io", kind: "Thing", namespace: "b", name: "c" }), "the first try of Thing b/c"],
  [itemKey("ready:ClusterSecretStore.external-secrets.io//onepassword", "a/b"), "item a/b of the password store"],
])("%s in words: %s", (key, words) => expect(inWords(key)).toBe(words));

it("several kinds in words, API by API", () => {
  expect(whatOf([kindKey("a.io", "One"), kindKey("b.io", "Two"), kindKey("a.io", "Three")])).toBe(
    "the kinds One, Three (a.io) and Two (b.io)",
  );
});
