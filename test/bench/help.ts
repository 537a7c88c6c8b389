// What `--help` costs over a script that does nothing, for every script: the slowest one shows that it imports too much before it reads its words.
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Every script that a person starts. */
export const scripts = (): string[] =>
  readdirSync("scripts", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.startsWith("lib/"))
    .map((file) => join("scripts", file))
    .sort();

/** Two rounds over all scripts find the slowest; nine more of these find how slow each is. */
export function slowestHelp(bare: () => number, help: (script: string) => number): { slowest: string; over: number } {
  const cost = (script: string, rounds: number) => {
    const over = Array.from({ length: rounds }, () => -bare() + help(script)).sort((a, b) => a - b);
    return { script, over: over[Math.floor((rounds - 1) / 2)]! };
  };
  const likely = scripts()
    .map((script) => cost(script, 2))
    .sort((a, b) => b.over - a.over)
    .slice(0, 3);
  const [first] = likely.map(({ script }) => cost(script, 9)).sort((a, b) => b.over - a.over);
  return { slowest: first!.script, over: first!.over };
}
