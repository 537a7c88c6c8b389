// A checkout without packages, or with packages from before a pull, is one line with the command that fixes it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testWith } from "./needs.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "packages-"));
  cpSync("scripts", join(root, "scripts"), { recursive: true, filter: (file) => !file.includes("schemas") });
  for (const file of ["Taskfile.yml", "package.json", "versions.env"]) cpSync(file, join(root, file));
  cpSync("test/all.mjs", join(root, "test/all.mjs"));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => rmSync(join(root, "node_modules"), { recursive: true, force: true }));

interface Package {
  version: string;
  dev?: true;
  optional?: true;
}
const LISTED: Record<string, Package> = {
  "node_modules/yaml": { version: "2.9.1" },
  "node_modules/vitest": { version: "4.1.12", dev: true },
  "node_modules/@oxfmt/binding-darwin-arm64": { version: "0.79.0", optional: true },
};
const write = (file: string, packages: Record<string, Package>) => {
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), JSON.stringify({ packages: { "": { version: "0.1.0" }, ...packages } }));
};
function start(words = ["--import", "./scripts/start.mjs", "scripts/talos/status.ts"], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: "utf8", env: { ...process.env, ...env } });
  return { status, stdout, stderr };
}
/** What scripts/packages.mjs alone says about the installed packages. */
function check(installed: Record<string, Package>) {
  write("package-lock.json", LISTED);
  write("node_modules/.package-lock.json", installed);
  return start(["scripts/packages.mjs"]);
}

describe("without node_modules", () => {
  const line = { status: 1, stdout: "", stderr: "node_modules is missing: run `npm ci`\n" };
  test("every script is one line", () => expect(start()).toEqual(line));
  test("npm test is the same line", () => expect(start(["test/all.mjs"])).toEqual(line));
  test("a folder of an interrupted installation is incomplete", () => {
    mkdirSync(join(root, "node_modules/yaml"), { recursive: true });
    expect(start().stderr).toBe("node_modules is incomplete: run `npm ci`\n");
  });
  test.each([
    [[], { OUTPUT: "json" }],
    [[], { ARG_OUTPUT: "json" }],
    [["--output", "json"], {}],
    [["--output=json"], {}],
  ])("%j %j prints one JSON document", (words, env) => {
    const { stdout, status } = start(["--import", "./scripts/start.mjs", "scripts/talos/status.ts", ...words], env);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      error: { failed: "load the packages", reason: "node_modules is missing", next: "run `npm ci`", state: "nothing was started" },
    });
  });
  testWith("task")("a target is the line, then what task adds", () => {
    const { stderr, status } = spawnSync("task", ["-x", "talos:status"], { cwd: root, encoding: "utf8" });
    expect(stderr.split("\n")[0]).toBe("node_modules is missing: run `npm ci`");
    expect(stderr).not.toContain("    at ");
    expect(status).toBe(1);
  });
});

describe("node_modules from before a pull", () => {
  const stale = (text: string) => ({ status: 1, stdout: "", stderr: `node_modules is out of date (${text}): run \`npm ci\`\n` });
  test("another version is named", () =>
    expect(check({ ...LISTED, "node_modules/yaml": { version: "2.9.0" } })).toEqual(stale("yaml is 2.9.0, package-lock.json has 2.9.1")));
  test("the first of several is named, the others are counted", () =>
    expect(check({ "node_modules/zx": { version: "8.8.5" } })).toEqual(stale("yaml is missing, package-lock.json has 2.9.1")));
  test("a missing development package counts when others are installed", () =>
    expect(check({ "node_modules/vite": { version: "1.0.0", dev: true } })).toEqual(
      stale("yaml is missing, package-lock.json has 2.9.1, and 1 more"),
    ));
});

describe("node_modules is good", () => {
  const good = { status: 0, stdout: "", stderr: "" };
  test("with what package-lock.json lists, without packages for other platforms", () => {
    const { "node_modules/@oxfmt/binding-darwin-arm64": _optional, ...rest } = LISTED;
    expect(check(rest)).toEqual(good);
  });
  test("without development packages (npm ci --omit=dev)", () =>
    expect(check({ "node_modules/yaml": { version: "2.9.1" } })).toEqual(good));
  test("of this checkout", () => expect(spawnSync(process.execPath, ["scripts/packages.mjs"], { encoding: "utf8" }).stderr).toBe(""));
});

test.each(["README.md", "docs/runbooks/bootstrap.md", ".mise.toml"])("%s runs npm ci", (file) =>
  expect(readFileSync(file, "utf8")).toContain("npm ci"),
);
test("nothing starts a script in a way that ends in a stack trace without packages", () => {
  const files = ["Taskfile.yml", "package.json", "lefthook.yml", ".ci/run", "README.md", "CONTRIBUTING.md", ".mise.toml", ...pages()];
  const found = files.filter((file) => /--import tsx|npx /.test(readFileSync(file, "utf8")));
  expect(found).toEqual([]);
});
const pages = () => [
  ...readdirSync("docs", { recursive: true, encoding: "utf8" }).flatMap((file) => (file.endsWith(".md") ? [join("docs", file)] : [])),
  ...readdirSync(".github/workflows").map((file) => join(".github/workflows", file)),
];
