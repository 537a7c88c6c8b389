// tools:build as a process, with a small `go` in place of the real one: Ctrl-C, kill -9, a full disk, and the run after it.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTable } from "../tools/table.ts";
import { whenPresent } from "../simulators/present.ts";

const TOOLS = readTable(process.cwd());
let folder: string;
const cache = () => join(folder, "cache");
const built = () => (whenPresent(() => readdirSync(join(cache(), "built"))) ?? []).sort();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "home-ops-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "published"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A `go` that knows what the procedure asks of it; `build` is what it does for a build, with the binary's path in $OUT. */
function go(build: string): void {
  const versions = TOOLS.map(({ name, version }) => `${name}) version=${version} ;;`).join(" ");
  const script = `#!/bin/sh
case "$1" in
  env) printf 'go1.26.8\\nlinux\\namd64\\n' ;;
  mod) if [ "$2" = download ]; then printf '{"Dir": "%s"}' "${join(folder, "published")}"; fi ;;
  build)
    while [ "$1" != -o ]; do shift; done
    OUT=$2
    case "$(basename "$OUT")" in ${versions} esac
    ${build}
    printf '#!/bin/sh\\necho %s\\n' "$version" > "$OUT"; chmod +x "$OUT" ;;
esac
`;
  writeFileSync(join(folder, "bin/go"), script);
  chmodSync(join(folder, "bin/go"), 0o755);
}

function start(...words: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; said: string; out: string }> } {
  const env = {
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    HOME: folder,
    HOME_OPS_TOOLS: cache(),
    HOME_OPS_STATE: join(folder, "state"),
  };
  const child = spawn(process.execPath, ["--import", "tsx", "test/tools/build.ts", ...words], { env });
  let [said, out] = ["", ""];
  child.stderr.on("data", (text: Buffer) => void (said += text.toString()));
  child.stdout.on("data", (text: Buffer) => void (out += text.toString()));
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, said, out }))) };
}
const run = () => start().ended;

async function until(what: () => boolean): Promise<void> {
  while (!what()) await pause(20); // a test that hangs here is stopped by vitest
}

test("builds every tool once, and one folder has them all", async () => {
  go("");
  const first = await run();
  expect(first.code).toBe(0);
  expect(first.said.match(/: built in \d+ s$/gm)).toHaveLength(TOOLS.length);
  expect(readdirSync(first.out.trim()).sort()).toEqual(TOOLS.map(({ name }) => name).sort());
  const second = await run();
  expect(second.said.match(/: cached$/gm)).toHaveLength(TOOLS.length);
  expect(second).toMatchObject({ code: 0, out: first.out });
});

test("a dry run says what it would build, and builds nothing", async () => {
  go("");
  const { said } = await start("--dry-run").ended;
  const lines = TOOLS.map(({ name, version }) => `  build ${name} ${version}\n`);
  expect(said).toBe(`tools:build into ${cache()}\n${lines.join("")}dry run: nothing was changed\n`);
  expect(existsSync(cache())).toBe(false);
});

test("Ctrl-C ends the builds and leaves nothing of them", async () => {
  go('touch "$OUT.half"; sleep 60');
  const { child, ended } = start();
  await until(() => built().length === 2);
  child.kill("SIGINT");
  const { code, said } = await ended;
  expect(code).toBe(130);
  expect(said.trim().split("\n").at(-1)).toBe("interrupted by SIGINT; the same command resumes from the observed state");
  expect(built()).toEqual([]);
});

test("what kill -9 leaves goes with the next run", async () => {
  go('touch "$OUT.half"; exec sleep 5');
  const { child, ended } = start();
  await until(() => built().length === 2);
  child.kill("SIGKILL");
  await ended;
  expect(built().every((name) => name.endsWith(`.${child.pid}.draft`))).toBe(true);
  go("");
  expect((await run()).code).toBe(0);
  expect(built().filter((name) => name.startsWith("."))).toEqual([]);
});

test("a full disk is one line, no other build is begun, and nothing is left", async () => {
  go('echo "write /c/07: no space left on device" >&2; exit 1');
  const { code, said } = await run();
  expect(code).toBe(1);
  const met = TOOLS.slice(0, 2).map(({ name, version }) => `${name} ${version}`);
  expect(said.split("\n").slice(-4)).toEqual([
    "could not build all tools",
    `  said: ${met.sort().join(", ")}: the disk is full: free some space (Go's own cache: \`go clean -cache\`)`,
    "  next: npm run tools:build",
    "",
  ]);
  expect(built()).toEqual([]);
});

test("without Go it says what to do", async () => {
  writeFileSync(join(folder, "bin/go"), "#!/bin/sh\nexit 127\n");
  chmodSync(join(folder, "bin/go"), 0o755);
  const { code, said } = await run();
  expect(code).toBe(64);
  expect(said).toBe(
    "Go is not installed: install Go 1.26.6 or newer (https://go.dev/dl, or `mise use -g go`), or set REAL_TOOLS to a folder that has the tools\n",
  );
});
