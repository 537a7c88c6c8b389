// The preflight's look at Git, with real git in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lookAtGit, placeholders, repositoryOf } from "../../../scripts/lib/bootstrap/preflight/git.ts";
import { openShell } from "../../../scripts/lib/run/shell.ts";
import { testCluster } from "../test-cluster.ts";

const TEMPLATE = testCluster();
const HOME = testCluster({
  git: { url: "https://github.com/operator/home-ops", branch: "main", owner: "operator" },
  domain: "homelab.test",
  acme: { ...TEMPLATE.acme, email: "operator@homelab.test" },
  cloudflare: { tunnel: "11111111-2222-4333-8444-555555555555" },
});

describe("placeholders", () => {
  test("of the template are each named", () =>
    expect(placeholders(TEMPLATE)).toEqual([
      "talos/cluster.yaml: git.url is still the template's https://github.com/example/home-ops",
      "talos/cluster.yaml: git.owner is still the template's example",
      "talos/cluster.yaml: domain is still the template's example.com",
      "talos/cluster.yaml: acme.email is still the template's operator@example.com",
      "talos/cluster.yaml: cloudflare.tunnel is still the template's 00000000-0000-4000-8000-000000000000",
    ]));
  test("are gone from a home that was edited", () => expect(placeholders(HOME)).toEqual([]));
  test.each(["example.net", "home.example.org", "EXAMPLE.com"])("domain %s", (domain) =>
    expect(placeholders({ ...HOME, domain })).toHaveLength(1),
  );
  test.each(["myexample.com", "example.com.au"])("domain %s is none", (domain) => expect(placeholders({ ...HOME, domain })).toEqual([]));
});

test.each([
  ["https://github.com/a/b", "https://GITHUB.com/a/b.git/"],
  ["https://github.com/a/b", "git@github.com:a/b.git"],
  ["https://github.com/a/b", "ssh://git@github.com/a/b"],
  ["https://git.home:3000/a/b", "https://operator@git.home:3000/a/b"],
])("%s and %s are one repository", (one, other) => expect(repositoryOf(one)).toBe(repositoryOf(other)));
test.each([
  ["https://github.com/a/b", "https://github.com/a/c"],
  ["https://github.com/a/b", "https://gitlab.com/a/b"],
])("%s and %s are two", (one, other) => expect(repositoryOf(one)).not.toBe(repositoryOf(other)));

describe("the folder", () => {
  let folder: string;
  let repo: string;
  let env: NodeJS.ProcessEnv;
  const git = (...words: string[]) => {
    const ran = spawnSync("git", ["-C", repo, ...words], { env, encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`git ${words.join(" ")}: ${ran.stderr}`);
  };
  const write = (file: string, text: string) => {
    mkdirSync(join(repo, file, ".."), { recursive: true });
    writeFileSync(join(repo, file), text);
  };
  const commit = () => (git("add", "--all"), git("commit", "--quiet", "--message", "x"));
  const look = async (cluster = HOME) => {
    await openShell({ signal: new AbortController().signal, env, cwd: repo });
    return lookAtGit({ cluster });
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "git-"));
    repo = join(folder, "repo");
    const remotes = join(folder, "remotes");
    env = {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CEILING_DIRECTORIES: folder,
      GIT_ALLOW_PROTOCOL: "file",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b.test",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b.test",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: `url.${remotes}/.insteadOf`,
      GIT_CONFIG_VALUE_0: "https://github.com/",
    };
    mkdirSync(repo, { recursive: true });
    const bare = join(remotes, "operator/home-ops");
    mkdirSync(bare, { recursive: true });
    spawnSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", bare], { env });
    git("init", "--quiet", "--initial-branch=main");
    git("remote", "add", "origin", HOME.git.url);
    write("kubernetes/a.yaml", "a: 1 # see example.com\n# https://example.com\n");
    commit();
    git("push", "--quiet", "--set-upstream", "origin", "main");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("that is pushed is ok, with its commit", async () => expect(await look()).toEqual({ state: "ok", saw: expect.stringMatching(/^main is pushed, at [0-9a-f]{12}$/) })); // prettier-ignore
  test("changes outside of kubernetes/ do not matter", async () => {
    write("notes.md", "x");
    expect((await look()).state).toBe("ok");
  });

  test.each<[string, () => void, RegExp]>([
    ["a file that is not committed", () => write("kubernetes/b.yaml", "b: 1\n"), /^kubernetes\/b\.yaml: not committed$/],
    ["a change that is not committed", () => write("kubernetes/a.yaml", "a: 2\n"), /^kubernetes\/a\.yaml: not committed$/],
    ["a file that was removed", () => rmSync(join(repo, "kubernetes/a.yaml")), /^kubernetes\/a\.yaml: not committed$/],
    ["a commit that is not pushed", () => (write("kubernetes/a.yaml", "a: 2\n"), commit()), /^kubernetes\/a\.yaml: not pushed$/],
    ["another branch", () => git("switch", "--quiet", "--create", "try", "--track", "origin/main"), /^branch try is checked out, Flux follows main \(git\.branch\)$/],
    ["no branch", () => git("switch", "--quiet", "--detach"), /no branch is checked out, Flux follows main/],
    ["a branch that follows none", () => git("branch", "--unset-upstream"), /it is unknown what was pushed: .*no upstream/],
    ["a branch that is gone at the remote", () => git("--git-dir", join(folder, "remotes/operator/home-ops"), "branch", "--move", "main", "old"), /the remote has no branch main/],
    ["a placeholder in the tree", () => (write("kubernetes/c.yaml", "host: a.example.com\n"), commit(), git("push", "--quiet")), /^kubernetes\/c\.yaml:1 still has a value of the template$/],
    ["no repository", () => rmSync(join(repo, ".git"), { recursive: true }), /^this folder is not a Git repository/],
  ])("with %s is bad", async (_what, change, saw) => {
    change();
    const seen = await look();
    expect(seen).toMatchObject({ state: "bad", saw: expect.stringMatching(saw), fix: expect.any(String) });
  }); // prettier-ignore
  test("that is pushed to another repository than Flux follows is bad", async () =>
    expect((await look({ ...HOME, git: { ...HOME.git, url: "https://github.com/operator/other" } })).saw).toBe(
      "the branch is pushed to https://github.com/operator/home-ops, Flux follows https://github.com/operator/other (git.url)",
    ));
  test("of the template is bad, whatever was pushed", async () =>
    expect(await look(TEMPLATE)).toMatchObject({
      state: "bad",
      fix: "edit talos/cluster.yaml, then: task configure, then commit and push",
    }));
  test("whose remote cannot be reached is unknown", async () => {
    rmSync(join(folder, "remotes"), { recursive: true });
    expect(await look()).toEqual({ state: "unknown", saw: expect.stringMatching(/^the remote cannot be reached: .*; as far as is known here, everything is pushed$/) }); // prettier-ignore
  });
  test("with changes and an unreachable remote is bad", async () => {
    rmSync(join(folder, "remotes"), { recursive: true });
    write("kubernetes/b.yaml", "b: 1\n");
    expect((await look()).state).toBe("bad");
  });
});
