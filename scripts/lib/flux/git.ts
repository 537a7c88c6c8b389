// Compares the working tree with what Flux will fetch from the remote.
import type { Gate } from "../run/gates.ts";
import { textOf } from "../run/errors.ts";
import { ask } from "../run/shell.ts";

export interface Pushed {
  /** The commit that Flux will fetch: from the remote, or the last one known here. */
  head: string;
  /** Files below the folder that are not pushed, a line each; empty if everything is pushed. */
  here: string[];
  /** The remote branch that this branch follows: `origin/main`. */
  upstream: string;
  /** Why the remote could not be asked; undefined if it answered. */
  unreachable?: string;
}

/** Compares the working tree, the last commit and the branch it follows, below one folder; `unknown` says why where this is no repository, or its branch follows none. */
export async function pushedBelow(folder: string): Promise<Pushed | { unknown: string }> {
  const known = await ask`git rev-parse @{upstream}`.nothrow();
  if (known.exitCode !== 0) return { unknown: textOf(known).split("\n")[0]! };
  const { explained } = await import("../run/explained.ts"); // not needed for --help
  const compare = { attempted: `compare ${folder}/ with what was pushed` };
  const upstream = (await explained(compare, () => ask`git rev-parse --abbrev-ref --symbolic-full-name @{upstream}`.text())).trim();
  const remote = await remoteHead(upstream);
  if ("missing" in remote) return { unknown: `the remote has no branch ${remote.missing}` };
  const last = known.stdout.trim();
  const changed = (await explained(compare, () => ask`git status --porcelain --untracked-files=all -- ${folder}`.lines())).map(
    (line) => `${line.slice(3)}: not committed`,
  );
  const ahead = (await explained(compare, () => ask`git diff --name-only ${last} HEAD -- ${folder}`.lines())).map(
    (file) => `${file}: not pushed`,
  );
  const here = [...changed, ...ahead];
  return "head" in remote ? { head: remote.head, here, upstream } : { head: last, here, upstream, unreachable: remote.unreachable };
}

/** `git ls-remote --exit-code` ends so when the remote answered and has no such branch. */
const NO_SUCH_REF = 2;

/** The head of the branch at the remote, because others may have pushed too. */
async function remoteHead(upstream: string): Promise<{ head: string } | { missing: string } | { unreachable: string }> {
  const [remote = "", ...rest] = upstream.split("/");
  const branch = rest.join("/");
  if (branch === "") return { unreachable: `${upstream} is not a branch of a remote` };
  const listed = await ask`git ls-remote --exit-code ${remote} ${`refs/heads/${branch}`}`.nothrow();
  if (listed.exitCode === NO_SUCH_REF) return { missing: branch };
  const head = /^[0-9a-f]{40,64}(?=\t)/.exec(listed.stdout)?.[0];
  if (listed.exitCode === 0 && head) return { head };
  return { unreachable: textOf(listed).split("\n")[0]! };
}

/** Everything below kubernetes/ is committed and pushed. The procedure looks itself, since it needs the head. */
export const gitGate: Gate = { name: "git", about: "what is below kubernetes/ is committed and pushed" };
