// Git in a simulated home: it sees the home's own repository only, and no connection leaves, whatever the checkout around the home and this machine are set up to do.
import { execFile, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askHome, environmentOf, layoutOf } from "../simulators/control.ts";
import { commitAndPush, headOf } from "../simulators/fork/repository.ts";
import { run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";

const start = promisify(execFile);
const URL = "https://github.com/operator/home-ops";
const checkout = mkdtempSync(join(tmpdir(), "checkout-"));
const folder = join(checkout, ".home-ops/homes/lab");
/** What a credential helper or a hook of this machine would write. */
const trace = join(checkout, "was-run");

let listener: Server;
let connections = 0;
let home: RunningHome;

/** The person's checkout: its origin is at the listener, and so is everything else that git could be led to. */
function makeCheckout(port: number): void {
  const git = (...words: string[]) => {
    const { status, stderr } = spawnSync("git", ["-C", checkout, ...words], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
  };
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", `ssh://git@127.0.0.1:${port}/example/home-ops`);
  git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "a");
  git("update-ref", "refs/remotes/origin/main", "HEAD");
  git("config", "branch.main.remote", "origin");
  git("config", "branch.main.merge", "refs/heads/main");
}

/** The configuration of this machine's user, which a home must not read. */
function makeUser(port: number): string {
  const user = join(checkout, "user");
  mkdirSync(join(user, "hooks"), { recursive: true });
  const marks = `touch ${trace}`;
  writeFileSync(join(user, "hooks/pre-push"), `#!/bin/sh\n${marks}\n`, { mode: 0o755 });
  writeFileSync(
    join(user, ".gitconfig"),
    `[credential]\n\thelper = "!${marks}"\n[core]\n\thooksPath = ${join(user, "hooks")}\n\tsshCommand = "sh -c '${marks}'"\n` +
      `\tfsmonitor = "${marks}"\n[url "http://127.0.0.1:${port}/"]\n\tinsteadOf = https://github.com/\n`,
  );
  return user;
}

beforeAll(async () => {
  listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  makeCheckout(port);
  Object.assign(process.env, { HOME: makeUser(port), GIT_DIR: join(checkout, ".git"), GIT_SSH: "/bin/true" });
  home = await startHome({ project: process.cwd(), folder });
});
afterAll(async () => {
  await home?.close();
  listener.close();
  rmSync(checkout, { recursive: true, force: true });
});

const git = (words: string[], cwd = layoutOf(folder).repo) =>
  start("git", words, { cwd, env: environmentOf(folder) }).then(
    ({ stdout }) => ({ code: 0, stdout: stdout.trim(), stderr: "" }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );

test("the listener hears a git that is not in a home, so that its silence means something", async () => {
  const { port } = listener.address() as AddressInfo;
  await start("git", ["ls-remote", `git://127.0.0.1:${port}/x`], { env: { PATH: process.env.PATH, HOME: checkout } }).catch(() => {});
  expect(connections).toBe(1);
  connections = 0;
});

test("flux:sync asks the home's own remote, not that of the checkout around it", async () => {
  const ran = await run(folder, "flux:sync", ["--dry-run"]);
  expect(ran.stderr).not.toContain("what was pushed is unknown");
  expect(ran.stderr).not.toContain("127.0.0.1");
  expect([ran.code, connections]).toEqual([1, 0]); // there is no cluster yet
});

test("the fork is clean, pushed and follows its branch", async () => {
  expect(await git(["status", "--porcelain", "--branch"])).toMatchObject({ stdout: "## main...origin/main" });
  expect(await git(["config", "remote.origin.url"])).toMatchObject({ stdout: URL });
  const { stdout } = await git(["rev-parse", "HEAD"]);
  expect(headOf(folder, URL, "refs/heads/main")).toEqual({ head: stdout });
  expect((await git(["ls-remote", URL, "refs/heads/main"], tmpdir())).stdout).toBe(`${stdout}\trefs/heads/main`);
});

test("a person's commit and push arrive at the home's remote, also without the home's environment", async () => {
  appendFileSync(join(layoutOf(folder).repo, "versions.env"), "# edited\n");
  const head = commitAndPush(folder, "chore: edit");
  expect(headOf(folder, URL, "main")).toEqual({ head });
  const { PATH } = process.env;
  appendFileSync(join(layoutOf(folder).repo, "versions.env"), "# edited again\n");
  const own = { cwd: layoutOf(folder).repo, env: { PATH, HOME: checkout } };
  await start("git", ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--all", "--message", "fix: edit"], own);
  await start("git", ["push", "--quiet"], own);
  expect(headOf(folder, URL, "main")).not.toEqual({ head });
});

test.each(["", "state", "tmp", "user", "repo/kubernetes/apps"])(
  "from the home's folder %j git never finds the checkout",
  async (inside) => {
    const { code, stdout, stderr } = await git(["rev-parse", "--show-toplevel"], join(folder, inside));
    if (inside.startsWith("repo")) expect(stdout).toBe(layoutOf(folder).repo);
    else expect([code, stderr]).toEqual([128, expect.stringContaining("not a git repository")]);
  },
);

test.each([
  "ssh://git@127.0.0.1:PORT/x",
  "git+ssh://127.0.0.1:PORT/x",
  "git@127.0.0.1:x",
  "git://127.0.0.1:PORT/x",
  "http://127.0.0.1:PORT/x",
  "https://127.0.0.1:PORT/x",
  "ftp://127.0.0.1:PORT/x",
  "ext::sh -c 'git-upload-pack 127.0.0.1'",
  "persistent-https://127.0.0.1:PORT/x",
])("no git command reaches %s", async (form) => {
  const url = form.replace("PORT", String((listener.address() as AddressInfo).port));
  for (const words of [
    ["ls-remote", url],
    ["clone", url, join(folder, "tmp/clone")],
    ["push", url, "main"],
    ["submodule", "add", url, "sub"],
  ]) {
    const { code, stderr } = await git(words);
    expect(code, `${words.join(" ")}: ${stderr}`).not.toBe(0);
    expect(stderr).toMatch(/transport '[\w+-]+' not allowed/);
  }
  expect(connections).toBe(0);
});

test("a program that would open a connection itself is a stand-in that refuses, says so, and is written down", async () => {
  for (const words of ["ssh git@github.com", "scp a b:c", "sftp b", "curl https://github.com", "wget https://github.com"]) {
    const [tool = "", ...rest] = words.split(" ");
    await expect(start(tool, rest, { env: environmentOf(folder) })).rejects.toMatchObject({
      code: 70,
      stderr: `the simulated home has no network, so it did not run: ${words}\n`,
    });
  }
  expect(await askHome(folder, "evidence")).toMatchObject({ refused: expect.arrayContaining([{ what: "ssh git@github.com" }]) });
});

test("nothing of this machine was used: no configuration, no hook, no credential helper", () => expect(existsSync(trace)).toBe(false));

test("the listener saw nothing", () => expect(connections).toBe(0));
