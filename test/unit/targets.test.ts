// One mechanical name: every script has a target and every target a script, and both say the same of their variables.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { variable } from "../../scripts/lib/run/options.ts";
import { MENU } from "../../scripts/menu.ts";
import type { Procedure } from "../../scripts/lib/run/spec.ts";

interface Target {
  desc?: string;
  cmd?: string;
  env?: Record<string, string>;
  requires?: { vars: string[] };
}
const taskfile = parse(readFileSync("Taskfile.yml", "utf8")) as { env: Record<string, string>; tasks: Record<string, Target | string> };
const targets = Object.entries(taskfile.tasks).filter(([name]) => name !== "default") as [string, Target][];
const scripts = readdirSync("scripts", { recursive: true, encoding: "utf8" })
  .map((file) => join("scripts", file))
  .filter((file) => file.endsWith(".ts") && !file.startsWith(join("scripts", "lib")) && !file.endsWith(".d.ts"));
const nameOf = (file: string) =>
  file
    .replace(/^scripts\//, "")
    .replace(/\.ts$/, "")
    .replace("/", ":");
const specs = new Map<string, Procedure>();

beforeAll(async () => {
  for (const file of scripts) {
    const exported = Object.values((await import(join(process.cwd(), file))) as Record<string, unknown>);
    const spec = exported.find(
      (one): one is Procedure =>
        typeof one === "object" && one !== null && "run" in one && "options" in one && (one as Procedure).name === nameOf(file),
    );
    if (spec) specs.set(nameOf(file), spec);
  }
});

test("every script has a target and every target a script", () =>
  expect(targets.map(([name]) => name).sort()).toEqual(scripts.map(nameOf).sort()));
test("every script exports the procedure that bears its name", () => expect([...specs.keys()].sort()).toEqual(scripts.map(nameOf).sort()));
test("what every procedure takes is passed on once, for all targets", () =>
  expect(taskfile.env).toEqual(
    Object.fromEntries(
      ["DRY_RUN", "YES", "CONFIRM", "OUTPUT", "WAIVE", "EXIT_CODE", "LOG_LEVEL"].map((name) => [`ARG_${name}`, `{{.${name}}}`]),
    ),
  ));

describe.each(targets)("task %s", (name, target) => {
  const options = () => Object.entries(specs.get(name)!.options);
  test("starts its script", () => expect(target.cmd).toBe(`{{.RUN}} scripts/${name.replace(":", "/")}.ts {{.CLI_ARGS}}`));
  test("passes on the script's variables", () =>
    expect(target.env ?? {}).toEqual(Object.fromEntries(options().map(([flag]) => [`ARG_${variable(flag)}`, `{{.${variable(flag)}}}`]))));
  test("has a description, of 80 columns at most, that ends in its variables", () => {
    expect(target.desc).toBeTruthy();
    const shown = /\[([A-Z_= a-z0-9.]+)\]$/.exec(target.desc!)?.[1]?.split(" ") ?? [];
    expect(shown.map((word) => word.split("=")[0])).toEqual(Object.keys(target.env ?? {}).map((key) => key.replace("ARG_", "")));
  });
  test("says the same as the script's --help", () => {
    const { about } = specs.get(name)!;
    expect(target.desc!.replace(/ \[[^\]]*\]$/, "").replace(/; can destroy .*$/, "")).toBe(`${about[0]!.toUpperCase()}${about.slice(1)}`);
  });
  test("offers --dry-run in its help unless it only reads", () => {
    const text = readFileSync(`scripts/${name.replace(":", "/")}.ts`, "utf8");
    const { readOnly, destroys } = specs.get(name)!;
    const changes = /\bconfirm\(|\$`|\$\(\{/.exec(text)?.[0];
    expect(readOnly ? [changes, destroys] : []).toEqual(readOnly ? [undefined, undefined] : []);
  });
  test("requires what the script requires", () =>
    expect(target.requires?.vars ?? []).toEqual(
      options()
        .filter(([, { required }]) => required)
        .map(([flag]) => variable(flag)),
    ));
  test("says that it can destroy when the script does", () =>
    expect(/destroy/.test(target.desc!)).toBe(specs.get(name)!.destroys !== undefined));
});
describe("task alone", () => {
  const shown = Object.values(MENU).flat();
  test("shows at most 20 targets", () => expect(shown.length).toBeLessThanOrEqual(20));
  test("shows targets that exist", () =>
    expect(shown.map(([target]) => target.split(" ")[0] ?? "").filter((name) => !(name in taskfile.tasks))).toEqual([]));
  test("fits into 80 columns", () =>
    expect(shown.filter(([, what]) => `  task ${"talos:apply NODE=".padEnd(17)}  ${what}`.length > 80)).toEqual([]));
});
test("task alone shows every area", () => {
  const areas = new Set(targets.map(([name]) => name.split(":")[0]!));
  const shown = new Set(
    Object.values(MENU)
      .flat()
      .map(([target]) => target.split(/[: ]/)[0]!),
  );
  expect([...areas].filter((area) => !shown.has(area) && area !== "menu")).toEqual([]);
});
