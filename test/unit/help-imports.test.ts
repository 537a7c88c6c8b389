// `--help` of every script comes at once, because a script loads what it needs to act only when it acts. Counted from the import lines, so that no machine is too slow for it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const scripts = readdirSync("scripts", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.startsWith("lib/"))
  .map((file) => join("scripts", file))
  .sort();

/** Two milliseconds each: so many cost 60 ms over an empty script. */
const MOST = 30;

/** What a file loads as soon as it is loaded. Types are not. */
const loads = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )(?:([^;"]*?) from )?"([^"]+)";/gms)].flatMap(
    ([, names = "", module]) => {
      const onlyTypes =
        names.startsWith("{") && names.replace(/[{}\s]/g, "").length > 0 && !/[{,]\s*(?!type )\w/.test(names.replace(/,\s*\}/, "}"));
      return onlyTypes ? [] : [module!.startsWith(".") ? join(dirname(file), module!) : module!];
    },
  );

function all(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (file.endsWith(".ts")) for (const one of loads(file)) all(one, seen);
  return seen;
}

describe("--help of", () => {
  test.each(scripts)("%s loads few modules, and no package", (script) => {
    const loaded = [...all(script)];
    const packages = loaded.filter((name) => !name.startsWith("scripts/") && !name.startsWith("node:"));
    expect(packages).toEqual([]);
    expect(loaded.filter((name) => name.startsWith("scripts/")).length).toBeLessThanOrEqual(MOST);
  });
});
