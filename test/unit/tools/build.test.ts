// Building what is missing: two at a time, a line for each, what fails told and the rest built; then the folder of all, and what is old goes.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildMissing, linkAll, prune } from "../../tools/missing.ts";
import { binFolder, type Place } from "../../tools/cache.ts";
import { BuildError } from "../../tools/compile.ts";

let cache: string;
let said: string[];
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "home-ops-"));
  said = [];
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const place = (name: string): Place => {
  const folder = join(cache, "built", `${name}-0`);
  return {
    tool: { name, folder: "", module: "x", version: "v1.0.0", package: "x" },
    given: false,
    key: "0",
    folder,
    binary: join(folder, name),
  };
};
const put = ({ folder, binary }: Place) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(binary, "");
};
/** Builds with a clock on which every compile takes 90 s. */
const build = (places: Place[], compile: (place: Place) => Promise<void> = async (one) => put(one)) => {
  let now = 0;
  return buildMissing(places, {
    say: (line) => void said.push(line),
    now: () => now,
    compile: async (one) => {
      await compile(one);
      now += 90_000;
    },
  });
};

describe("building", () => {
  test("says of every tool whether it was there, that it is built and how long that took", async () => {
    put(place("b"));
    expect(await build([place("a"), place("b")])).toEqual(new Map());
    expect(said).toEqual(["b v1.0.0: cached", "a v1.0.0: building", "a v1.0.0: built in 90 s"]);
  });
  test("says where a tool is that somebody else has put there", async () => {
    put(place("a"));
    await build([{ ...place("a"), given: true }]);
    expect(said).toEqual([`a v1.0.0: ${place("a").binary}`]);
  });
  test("never has more than two at once", async () => {
    let running = 0;
    let most = 0;
    await build(["a", "b", "c", "d", "e"].map(place), async (one) => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      put(one);
    });
    expect(most).toBe(2);
    expect(readdirSync(join(cache, "built")).sort()).toEqual(["a-0", "b-0", "c-0", "d-0", "e-0"]);
  });
  test("goes on with the others when one cannot be built", async () => {
    const failed = await build([place("a"), place("b"), place("c")], async (one) => {
      if (one.tool.name === "a") throw new BuildError({ line: "no such module" });
      put(one);
    });
    expect(failed).toEqual(new Map([["no such module", ["a v1.0.0"]]]));
    expect(said).toContain("a v1.0.0: failed");
    expect(readdirSync(join(cache, "built")).sort()).toEqual(["b-0", "c-0"]);
  });
  test("begins no other after a trouble that concerns all", async () => {
    const failed = await build(["a", "b", "c", "d"].map(place), async () => {
      throw new BuildError({ line: "the disk is full", everywhere: true });
    });
    expect(failed).toEqual(new Map([["the disk is full", ["a v1.0.0", "b v1.0.0"]]]));
    expect(said).toEqual(["a v1.0.0: building", "b v1.0.0: building", "a v1.0.0: failed", "b v1.0.0: failed"]);
  });
  test("ends with what nobody foresaw, once both have come to rest, and begins no other", async () => {
    let rested = false;
    await expect(
      build(["a", "b", "c"].map(place), async (one) => {
        if (one.tool.name === "a") throw new Error("interrupted by SIGINT");
        await new Promise((resolve) => setImmediate(resolve));
        rested = true;
      }),
    ).rejects.toThrow("interrupted by SIGINT");
    expect(rested).toBe(true);
    expect(said).not.toContain("c v1.0.0: building");
  });
});

describe("the folder of all", () => {
  test("has a link to every tool, which holds when the cache is moved, and nothing else is left", async () => {
    const places = [place("a"), place("b")];
    places.forEach(put);
    const folder = await linkAll(places, cache);
    expect(folder).toBe(binFolder(places, cache));
    expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
    expect(readlinkSync(join(folder, "a"))).toBe("../built/a-0/a");
    expect(existsSync(join(folder, "a"))).toBe(true);
    expect(readdirSync(join(cache, "built")).sort()).toEqual(["a-0", "b-0"]);
    expect(await linkAll(places, cache)).toBe(folder);
  });
});

describe("what is old", () => {
  const now = new Date("2026-03-01T00:00:00Z");
  const age = (folder: string, days: number) => {
    mkdirSync(folder, { recursive: true });
    const then = new Date(now.getTime() - days * 24 * 3600_000);
    utimesSync(folder, then, then);
  };
  test("goes after a month in which no run asked for it; what is in use, what is not ours and drafts stay", async () => {
    const used: Place = { ...place("helm"), folder: join(cache, "built/helm-cccccccccccc") };
    const theirs: Place = { ...place("flux"), given: true, folder: join(cache, "theirs"), key: "theirs" };
    const bin = binFolder([used, theirs], cache);
    age(join(cache, "built/helm-aaaaaaaaaaaa"), 31);
    age(join(cache, "built/helm-bbbbbbbbbbbb"), 29);
    age(join(cache, "built/.helm-dddddddddddd.1.draft"), 99);
    age(join(cache, "bin-000000000000"), 31);
    for (const folder of [used.folder, theirs.folder, bin]) age(folder, 99);
    await prune([used, theirs], cache, now);
    expect(readdirSync(cache).sort()).toEqual([basename(bin), "built", "theirs"].sort());
    expect(readdirSync(join(cache, "built")).sort()).toEqual([".helm-dddddddddddd.1.draft", "helm-bbbbbbbbbbbb", "helm-cccccccccccc"]);
    expect(statSync(used.folder).mtime).toEqual(now);
    expect(statSync(theirs.folder).mtime).not.toEqual(now);
  });
});
