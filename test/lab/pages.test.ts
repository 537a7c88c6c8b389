// Every sh block of docs/, in order, in a simulated home. What only a person can do is marked on the page with "By hand", and counted here.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { askHome, environmentOf, layoutOf } from "../simulators/control.ts";

type Step = { sh: string } | { byHand: string };
const PAGES = readdirSync("docs", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .map((file) => join("docs", file))
  .sort();
/** The lines of a page's sh blocks and the steps by hand, as they follow each other. */
const stepsOf = (page: string): Step[] =>
  [...readFileSync(page, "utf8").matchAll(/^```sh\n([\s\S]*?)^```|\*\*By hand:\*\* (.*)$/gm)].flatMap(([, block, byHand]): Step[] =>
    block === undefined
      ? [{ byHand: byHand! }]
      : block
          .trim()
          .split("\n")
          .map((line) => ({ sh: line.replace(/ +#.*$/, "") })),
  );
const count = (page: string) => {
  const steps = stepsOf(page);
  return { sh: steps.filter((step) => "sh" in step).length, byHand: steps.filter((step) => "byHand" in step).length };
};

test("every page is known, with its commands and with the steps that only a person can do", () =>
  expect(Object.fromEntries(PAGES.map((page) => [page, count(page)]))).toEqual({
    "docs/cluster.md": { sh: 6, byHand: 2 },
    "docs/configuration.md": { sh: 0, byHand: 0 },
    "docs/lint.md": { sh: 0, byHand: 0 },
    "docs/rehearsal.md": { sh: 11, byHand: 2 },
    "docs/runbooks/bootstrap.md": { sh: 17, byHand: 6 },
    "docs/secrets.md": { sh: 0, byHand: 1 },
  }));
test.each(PAGES)("%s names commit and push", (page) => expect(readFileSync(page, "utf8")).toMatch(/commit[\s\S]*push/i));
test.each(PAGES)("%s has no command block of another language than sh", (page) =>
  expect([...readFileSync(page, "utf8").matchAll(/^```(bash|shell|console|zsh)/gm)].map(([, language]) => language)).toEqual([]),
);

describe("a real home", () => {
  let home: RunningHome;
  beforeAll(async () => void (home = await startHome({ project: process.cwd() })));
  afterAll(() => home?.close());

  /** Answers no question: these only look. */
  const READS = ["secrets:check", "talos:status", "leftovers", "lint:kubernetes"];

  /** One command as a person types it in the fork. `task` may not be installed, so its targets are started as task starts them. */
  async function type(line: string): Promise<{ code: number | null; said: string }> {
    const [tool, name = "", ...words] = line.split(" ");
    if (tool === "task") {
      const ran = await run(home.folder, name, [...words, ...(READS.includes(name) ? [] : ["--yes"])]);
      return { code: ran.code, said: ran.stderr };
    }
    if (line === "npm ci") {
      // it needs the network; --dry-run still refuses a package-lock.json that does not fit package.json
      const { status, stderr } = spawnSync("npm", ["ci", "--dry-run", "--offline", "--ignore-scripts"], { encoding: "utf8" });
      return { code: status, said: stderr };
    }
    const { status, stderr } = spawnSync("bash", ["-c", line], {
      cwd: layoutOf(home.folder).repo,
      env: environmentOf(home.folder, { SHLVL: "1" }),
      encoding: "utf8",
    });
    return { code: status, said: stderr };
  }

  /** What a person does between the commands; the simulated home has the rest from the start. */
  async function byHand(step: string): Promise<void> {
    if (step.startsWith("Put the listed values into 1Password")) await askHome(home.folder, "person");
    if (step.startsWith("Fork and clone")) expect((await type("echo '# my home' >> talos/cluster.yaml")).code).toBe(0);
  }

  // the operator's first day, then a later one
  const steps = ["docs/runbooks/bootstrap.md", "docs/cluster.md"].flatMap(stepsOf);
  test.each(steps.map((step) => ["sh" in step ? step.sh : `by hand: ${step.byHand}`, step] as const))(
    "%s",
    async (_name, step) => {
      if ("byHand" in step) return byHand(step.byHand);
      const { code, said } = await type(step.sh);
      expect(code, said).toBe(0);
    },
    120_000,
  );
});

describe("the rehearsal by hand", () => {
  let checkout: string;
  beforeAll(() => {
    checkout = mkdtempSync(join(tmpdir(), "checkout-"));
    for (const part of ["talos", "bootstrap", "kubernetes", "versions.env", ".sops.yaml"])
      cpSync(part, join(checkout, part), { recursive: true });
    for (const part of ["scripts", "test", "node_modules", "package.json"]) symlinkSync(join(process.cwd(), part), join(checkout, part));
  });
  afterAll(() => {
    type("task lab:down");
    rmSync(checkout, { recursive: true, force: true });
  });

  /** A task's target as task starts it, in a checkout whose state is its own. */
  function type(line: string): { status: number | null; said: string } {
    const [, name, words = ""] = /^task (\S+)(?: -- (.*)| (.*))?$/.exec(line) ?? [];
    const command =
      name === undefined ? line : `'${process.execPath}' --import ./scripts/start.mjs scripts/${name.replace(":", "/")}.ts ${words}`;
    const { PATH, HOME, TMPDIR } = process.env;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: checkout, env: { PATH, HOME, TMPDIR }, encoding: "utf8" });
    return { status, said: `${stdout}${stderr}` };
  }

  const lines = stepsOf("docs/rehearsal.md").flatMap((step) => ("sh" in step ? [step.sh] : []));
  test.each(lines)(
    "%s",
    (line) => {
      const { status, said } = type(line);
      expect(status, said).toBe(0);
    },
    120_000,
  );
});
