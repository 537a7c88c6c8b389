// Git in a home: the fork is a clone of a bare repository, which replaces the host on the Internet. Real git, without this machine's configuration.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { layoutOf } from "../environment.ts";
import { formsOf, gitEnvironment } from "./git-environment.ts";
import { whenPresent } from "../present.ts";

/** Where the fork is pushed to, as `talos/cluster.yaml` says. */
export interface Origin {
  url: string;
  branch: string;
}

const IDENTITY = "[user]\n\tname = operator\n\temail = operator@home.invalid\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/** Commits have the same hash in every home with the same files. */
const WHEN = "2026-01-01T00:00:00Z";

/** Turns the fork into a repository with one pushed commit. An existing repository is not changed. */
export function makeRepository(folder: string, { url, branch }: Origin): void {
  const { repo, user } = layoutOf(folder);
  if (existsSync(join(repo, ".git"))) return;
  writeFileSync(join(user, ".gitconfig"), IDENTITY);
  const git = (...words: string[]) => run(folder, ["-C", repo, ...words]);
  run(folder, ["init", "--quiet", "--template=", `--initial-branch=${branch}`, repo]);
  makeRemote(folder, url, branch);
  git("remote", "add", "origin", url);
  git("add", "--all");
  git("commit", "--quiet", "--no-verify", "--message", "the home as it is at first");
  git("push", "--quiet", "--set-upstream", "origin", branch);
  git("repack", "-a", "-d", "-q"); // one file instead of hundreds: homes are copied
}

/** Makes an empty bare repository behind this URL; what git is told of it in the fork is relative, so that a copied home pushes to its own. */
export function makeRemote(folder: string, url: string, branch: string): void {
  const { repo, remotes } = layoutOf(folder);
  const remote = remoteOf(folder, url);
  mkdirSync(remote, { recursive: true });
  run(folder, ["init", "--quiet", "--bare", "--template=", `--initial-branch=${branch}`, remote]);
  run(folder, ["--git-dir", remote, "config", "receive.unpackLimit", "1"]);
  const { host, pathname } = new URL(url);
  for (const form of new Set([...formsOf(host), `${url.slice(0, url.indexOf(pathname))}/`]))
    run(folder, ["-C", repo, "config", "--add", `url.${relative(repo, join(remotes, host))}/.insteadOf`, form]);
}

/** The path of the bare repository behind a URL. */
export function remoteOf(folder: string, url: string): string {
  const { host, pathname } = new URL(url);
  return join(layoutOf(folder).remotes, host, `${pathname.replace(/^\/+|\/+$|\.git\/?$/g, "")}.git`);
}

/** The commit at a branch or ref of the repository behind a URL; otherwise why there is none, in source-controller's words. */
export function headOf(folder: string, url: string, ref: string): { head: string } | { error: string } {
  const remote = remoteOf(folder, url);
  const fails = (why: string) => ({ error: `failed to checkout and determine revision: unable to clone '${url}': ${why}` });
  if (!existsSync(remote)) return fails("authentication required: Repository not found.");
  const name = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  const head = readRef(remote, name);
  return head === undefined ? fails(`couldn't find remote ref ${JSON.stringify(name)}`) : { head };
}

/** Read from the files, as this is asked at every tick while the source is not ready. */
function readRef(remote: string, name: string): string | undefined {
  const read = (file: string) => whenPresent(() => readFileSync(join(remote, file), "utf8"));
  const packed = () =>
    read("packed-refs")
      ?.split("\n")
      .find((line) => line.endsWith(` ${name}`));
  return (read(name)?.trim() ?? packed()?.split(" ")[0]) || undefined;
}

/** The files of a pushed commit in a folder of their own, as source-controller keeps them. */
export function checkOut(folder: string, url: string, commit: string): string {
  const { artifacts } = layoutOf(folder);
  const place = join(artifacts, commit);
  if (existsSync(place)) return place;
  const draft = `${place}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const index = { GIT_INDEX_FILE: join(draft, ".index") };
  const remote = ["--git-dir", remoteOf(folder, url)];
  run(folder, [...remote, "read-tree", commit], index);
  run(folder, [...remote, "--work-tree", draft, "checkout-index", "--all", "--force"], index);
  rmSync(index.GIT_INDEX_FILE);
  renameSync(draft, place);
  return place;
}

/** Commits and pushes everything, as the operator does after editing files. Returns the pushed commit. */
export function commitAndPush(folder: string, message: string): string {
  const git = (...words: string[]) => run(folder, ["-C", layoutOf(folder).repo, ...words]);
  git("add", "--all");
  git("commit", "--quiet", "--message", message);
  git("push", "--quiet");
  return git("rev-parse", "HEAD").trim();
}

function run(folder: string, words: string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawn(folder, words, env);
  if (error) throw new Error(`the simulated home needs git, which could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`git ${words.join(" ")} failed in the simulated home: ${stderr.trim()}`);
  return stdout;
}

/** Also the git of a commit hook or of a test has to begin without the caller's GIT_DIR. */
const spawn = (folder: string, words: string[], env: Record<string, string> = {}) =>
  spawnSync("git", words, {
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: layoutOf(folder).user,
      ...gitEnvironment({ folder, ...layoutOf(folder) }),
      GIT_AUTHOR_DATE: WHEN,
      GIT_COMMITTER_DATE: WHEN,
      ...env,
    },
  });
