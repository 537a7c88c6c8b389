// Work on several things: everything begun is awaited, every failure is reported, nothing begins after a failure or an abort.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { eachOf, forEachNode, rolling } from "../../../scripts/lib/run/at-once.ts";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import { testCluster } from "../test-cluster.ts";

const { nodes } = testCluster();
const never = () => ({ signal: new AbortController().signal });
const work = { attempted: "install all", next: "task try", nameOf: (name: string) => name };
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

/** What was begun and what ended, in order; `fail` names those that fail, `abort` the one at which the run is interrupted. */
async function each(names: string[], { fail = [] as string[], abort = "", atOnce = 8 } = {}) {
  const stop = new AbortController();
  const log: string[] = [];
  const error = await forEachNode({ signal: stop.signal }, names, { ...work, atOnce }, async (name) => {
    log.push(`begin ${name}`);
    if (name === abort) stop.abort(new Error("interrupted by SIGINT"));
    if (fail.includes(name)) throw new Failure({ attempted: `install ${name}`, said: "refused", next: "x" });
    await tick();
    log.push(`end ${name}`);
  }).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  return { log, error };
}

describe("independent nodes", () => {
  test("all are done", async () => expect((await each(["a", "b"])).log).toEqual(["begin a", "begin b", "end a", "end b"]));
  test("what was begun has ended before the failure is thrown", async () =>
    expect(await each(["a", "b", "c"], { fail: ["a"] })).toEqual({
      log: ["begin a", "begin b", "begin c", "end b", "end c"],
      error: "could not install all\n  said: a: could not install a\n          said: refused\n  next: task try",
    }));
  test("no other is begun after a failure, and each that was not is named", async () =>
    expect(await each(["a", "b", "c", "d"], { fail: ["a"], atOnce: 2 })).toEqual({
      log: ["begin a", "begin b", "end b"],
      error: "could not install all\n  said: a: could not install a\n          said: refused\n        not started: c, d\n  next: task try",
    }));
  test("every failure is reported", async () =>
    expect((await each(["a", "b"], { fail: ["a", "b"] })).error).toMatch(/a: could not install a[\s\S]*b: could not install b/));
  test("one alone fails with its own words", async () =>
    expect((await each(["a"], { fail: ["a"] })).error).toBe("could not install a\n  said: refused\n  next: x"));
  test("none is begun after an abort", async () =>
    expect(await each(["a", "b", "c"], { abort: "a", atOnce: 1 })).toEqual({ log: ["begin a", "end a"], error: "interrupted by SIGINT" }));
  test("an abort does not hide what failed, and names what it interrupted and what was not started", async () => {
    const stop = new AbortController();
    const thrown = forEachNode({ signal: stop.signal }, ["a", "b", "c"], { ...work, atOnce: 2 }, async (name) => {
      await Promise.resolve(); // both have begun
      if (name === "b") {
        await tick();
        stop.signal.throwIfAborted();
      }
      stop.abort(new Error("interrupted by SIGINT"));
      throw new Failure({ attempted: `install ${name}`, said: "refused" });
    });
    await expect(thrown).rejects.toThrow(
      "could not install all\n  said: a: could not install a\n          said: refused\n        interrupted: b\n        not started: c\n  next: task try",
    );
  });
  test("a function that throws before its first await is a failure too", async () => {
    const thrown = forEachNode(never(), ["a"], work, () => {
      throw new Error("at once");
    });
    await expect(thrown).rejects.toThrow("at once");
  });
});

describe("reads", () => {
  test("come back in their order", async () => expect(await eachOf([3, 1, 2], async (ms) => (await tick(), ms))).toEqual([3, 1, 2]));
  test("everything begun has ended when the failure is thrown", async () => {
    const ended: string[] = [];
    const reading = eachOf(["a", "b"], async (name) => {
      if (name === "a") throw new Error("no answer");
      await tick();
      ended.push(name);
    });
    await expect(reading).rejects.toThrow("no answer");
    expect(ended).toEqual(["b"]);
  });
  test("at most eight are under way", async () => {
    let [now, most] = [0, 0];
    await eachOf(Array.from({ length: 20 }), async () => {
      most = Math.max(most, (now += 1));
      await tick();
      now -= 1;
    });
    expect(most).toBe(8);
  });
});

describe("rolling", () => {
  const items = nodes.map((node) => ({ node }));
  const go = async (down: boolean, checkGates: () => Promise<void>, one: (name: string) => Promise<void>) => {
    const error = await rolling(
      { ...never(), checkGates },
      items,
      { attempted: "reboot all", next: "task try", takesDown: () => down },
      ({ node }) => one(node.name),
    ).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );
    return error;
  };
  test("asks the gates again before each node, and stops at the one that is refused", async () => {
    const done: string[] = [];
    const verdicts = [undefined, "quorum: 1 of 3"];
    const gates = async () => {
      const said = verdicts.shift();
      if (said) throw new Failure({ attempted: "start try", said });
    };
    expect(await go(true, gates, async (name) => void done.push(name))).toBe(
      "could not reboot all\n  said: k8s-1: could not start try\n          said: quorum: 1 of 3\n  now:  not started: k8s-2\n  next: task try",
    );
    expect(done).toEqual(["k8s-0"]);
  });
  test("asks no gate for a node that stays up", async () => {
    let asked = 0;
    await go(
      false,
      async () => void (asked += 1),
      async () => {},
    );
    expect(asked).toBe(0);
  });
});

/** Each call of Promise.all in a source text, up to its closing bracket. */
function callsOfAll(text: string): string[] {
  return [...text.matchAll(/Promise\.all\(/g)].map(({ index }) => {
    let depth = 0;
    for (let end = index + "Promise.all".length; end < text.length; end += 1) {
      depth += Number(text[end] === "(") - Number(text[end] === ")");
      if (depth === 0) return text.slice(index, end + 1);
    }
    return text.slice(index);
  });
}

const EFFECT = /\$`|\$\(\{|\.act\(|\.upload\(|writeFile\(|removeFile\(|effect\(|apply\w*\(|deploy\w*\(|store\(/;

test("Promise.all never runs over effects: it leaves what was begun behind when the first one fails", () => {
  const found = readdirSync("scripts", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("lib/lint/"))
    .flatMap((path) => callsOfAll(readFileSync(`scripts/${path}`, "utf8")).map((call) => ({ path, call })));
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter(({ call }) => EFFECT.test(call))).toEqual([]);
});
