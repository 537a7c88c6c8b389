// What Git knows of the repository: whether what Flux will read is what lies here.
import type { Gate } from "./gates.ts";
import { textOf } from "./errors.ts";
import { ask } from "./shell.ts";

export interface Pushed {
  /** The commit that Flux will find, once it looks. */
  head: string;
  /** Files below the folder that only this working tree has, a line each; empty when all is pushed. */
  here: string[];
}

/** Compares the working tree, the last commit and the branch it follows, below one folder; `unknown` says why where this is no repository, or its branch follows none. */
export async function pushedBelow(folder: string): Promise<Pushed | { unknown: string }> {
  const upstream = await ask`git rev-parse @{upstream}`.nothrow();
  if (upstream.exitCode !== 0) return { unknown: textOf(upstream).split("\n")[0]! };
  const known = upstream.stdout.trim();
  const changed = (await ask`git status --porcelain --untracked-files=all -- ${folder}`.lines()).map(
    (line) => `${line.slice(3)}: not committed`,
  );
  const ahead = (await ask`git diff --name-only ${known} HEAD -- ${folder}`.lines()).map((file) => `${file}: not pushed`);
  return { head: (await remoteHead()) ?? known, here: [...changed, ...ahead] };
}

/** Where the branch is at the remote now: others push there too, and Flux fetches theirs. Undefined when the remote does not tell. */
async function remoteHead(): Promise<string | undefined> {
  const named = (await ask`git rev-parse --abbrev-ref --symbolic-full-name @{upstream}`.nothrow()).stdout.trim();
  const [remote = "", ...branch] = named.split("/");
  if (branch.length === 0) return undefined;
  const listed = await ask`git ls-remote --exit-code ${remote} ${`refs/heads/${branch.join("/")}`}`.nothrow();
  return listed.exitCode === 0 ? /^[0-9a-f]{40,64}(?=\t)/.exec(listed.stdout)?.[0] : undefined;
}

/** Everything below kubernetes/ is committed and pushed. The procedure looks itself, since it needs the head. */
export const gitGate: Gate = { name: "git", about: "what is below kubernetes/ is committed and pushed" };
