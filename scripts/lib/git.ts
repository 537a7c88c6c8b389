// What Git knows of the repository: whether what Flux will read is what lies here.
import { textOf } from "./errors.ts";
import { ask } from "./shell.ts";

export interface Pushed {
  /** The commit that Flux will find, once it looks. */
  head: string;
  /** Files below the folder that only this working tree has, a line each; empty when all is pushed. */
  here: string[];
}

/** Compares the working tree, the last commit and the branch it follows, below one folder. Throws when this is no repository, or its branch follows none. */
export async function pushedBelow(folder: string): Promise<Pushed | { unknown: string }> {
  const upstream = await ask`git rev-parse @{upstream}`.nothrow();
  if (upstream.exitCode !== 0) return { unknown: textOf(upstream).split("\n")[0]! };
  const head = upstream.stdout.trim();
  const changed = (await ask`git status --porcelain --untracked-files=all -- ${folder}`.lines()).map(
    (line) => `${line.slice(3)}: not committed`,
  );
  const ahead = (await ask`git diff --name-only ${head} HEAD -- ${folder}`.lines()).map((file) => `${file}: not pushed`);
  return { head, here: [...changed, ...ahead] };
}
