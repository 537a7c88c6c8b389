// The Git hook that reads a commit's first line: a conventional commit, so that the history can be read and Renovate's commits look like ours.
import { readFile } from "node:fs/promises";
import { Failure } from "../lib/run/errors.ts";
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";

const TYPES = ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"];

/** What is wrong with a commit message, or undefined. Git's own messages for merges, reverts and fixups pass. */
export function fault(message: string): string | undefined {
  const [first = "", second] = message.split("\n").filter((line) => !line.startsWith("#"));
  if (/^(Merge|Revert|fixup!|squash!|amend!) /.test(first)) return undefined;
  const parts = /^(?<type>\w+)(\([^()]+\))?!?: (?<subject>.+)$/.exec(first)?.groups;
  if (!parts) return `"${first}" is not "type(scope): what changes"`;
  if (!TYPES.includes(parts.type!)) return `the type "${parts.type}" is none of ${TYPES.join(", ")}`;
  if (/^[A-Z][a-z]/.test(parts.subject!) || parts.subject!.endsWith("."))
    return `"${parts.subject}" begins with a small letter and ends without a full stop`;
  if (second) return "a blank line comes between the first line and the rest";
  return undefined;
}

export const commitMessage = procedure({
  name: "lint:commit-message",
  about: "check that a commit message is a conventional commit",
  cluster: false,
  scope: "none",
  readOnly: true,
  options: { file: text("the file that Git keeps the message in", ".git/COMMIT_EDITMSG") },
  async run({ file }) {
    const said = fault(await readFile(file, "utf8"));
    if (said) throw new Failure({ attempted: "take the commit message", said, now: "nothing was committed", next: "git commit" });
  },
});

await main(import.meta, commitMessage);
