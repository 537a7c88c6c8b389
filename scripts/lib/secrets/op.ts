// Adapter for the 1Password package (version, sign-in, items). It works around the package's faults: the package drops the answer if `op` warned on stderr,
// treats a silent failure as an empty answer, hides the message in `originalMessage`, prints an answer that it cannot parse,
// and escapes quotes and `$` although no shell removes the backslashes.
import type { Context } from "../run/context.ts";
import { Failure, textOf, UsageError } from "../run/errors.ts";
import { explained } from "../run/explained.ts";
import type { Verdict } from "../run/gates.ts";
import { ask, tally } from "../run/shell.ts";
import { expectShape, type Pattern, readJson } from "../run/tool-output.ts";
import { modeOf } from "./mode.ts";
import { callOp, OpError } from "./op-calls.ts";
import { plain, troubleOf } from "./op-error.ts";

/** Older versions cannot read an item template from stdin, or print secrets. */
const NEEDED = ">=2.30.0";

/** An item as `op item list` shows it. */
export interface Listed {
  id: string;
  title: string;
}

/** An item as `op item get` shows it, and as `op item edit` accepts it. Properties that are not listed here are kept. */
export interface StoredItem extends Listed {
  category: string;
  fields?: StoredField[];
}

export interface StoredField {
  id?: string;
  label?: string;
  type?: string;
  value?: string;
  section?: { id: string; label?: string };
}

/** Throws if `op` is missing or too old. */
export async function expectOp(): Promise<void> {
  count();
  try {
    await callOp("validateCli", NEEDED);
  } catch (error) {
    throw explain(error, "use 1Password's command-line tool");
  }
}

/** Who is signed in ("operator@example.com at https://my.1password.com"), or the Connect server, which has no account. Throws if nobody is signed in. */
export async function whoIsSignedIn(env: NodeJS.ProcessEnv): Promise<string> {
  const mode = modeOf(env);
  if (mode.how === "connect") return mode.says;
  const attempted = "see who is signed in to 1Password";
  const account = await answer<{ url?: string; email?: string }>(attempted, ["whoami"], ["whoami", "--format=json"], {});
  if (!account) throw troubleOf({ text: "you are not signed in" }, attempted)!;
  return `${account.email ?? mode.says} at ${account.url ?? "1Password"}`;
}

/** The preflight's view: who is signed in, in which mode, and what that mode cannot do. */
export async function lookAtSignIn({ env }: Pick<Context, "env">): Promise<Verdict> {
  const who = await whoIsSignedIn(env);
  const { says, cannot } = modeOf(env);
  return { state: "ok", saw: `${who.includes(says) ? who : `${says}: ${who}`}; cannot ${cannot.join("; cannot ")}` };
}

/** Titles and IDs of all items of a vault. */
export async function listItems(vault: string): Promise<Listed[]> {
  const words = ["item", "list", `--vault=${unquoted(vault)}`, "--format=json"];
  const attempted = `list the items of vault ${vault}`;
  const items = await answer<Listed[]>(attempted, ["item.list", { vault }], words, [{ id: "", title: "" }]);
  if (items || (await countItems(vault)) === 0) return items ?? [];
  throw new Failure({ attempted, said: "op printed nothing, but the vault has items", next: "the same command again" });
}

/** The number of items according to the vault itself, because an empty list can also be a failure. */
async function countItems(vault: string): Promise<number> {
  const words = ["vault", "get", unquoted(vault), "--format=json"];
  const found = await explained({ attempted: `count the items of vault ${vault}` }, () => ask`op ${words}`.text());
  return readJson<{ items: number }>(found, { command: `op ${words.join(" ")}` }, { items: 0 }).items;
}

/** One item with its values. */
export async function getItem({ id, title }: Listed, vault: string): Promise<StoredItem> {
  const attempted = `read item ${title} of vault ${vault}`;
  const words = ["item", "get", id, `--vault=${unquoted(vault)}`, "--format=json"];
  const item = await answer<StoredItem>(attempted, ["item.get", id, { vault }], words, { id: "", title: "" });
  if (!item) throw new Failure({ attempted, said: "op said nothing", next: "the same command again" });
  return item;
}

function count(): void {
  tally.commands += 1;
  tally.op += 1;
}

/** Calls op-js. If op-js lost the answer or the error, it runs the same command once more through the shell. */
async function answer<T>(
  attempted: string,
  [method, ...args]: [method: string, ...args: unknown[]],
  words: string[],
  pattern: Pattern,
): Promise<T | undefined> {
  const source = { command: ["op", ...words].join(" "), secret: true };
  count();
  try {
    const got = await callOp(method, ...args);
    if (got === null) return undefined; // op-js says so of whoami when nobody is signed in
    if (got !== undefined) return expectShape<T>(got, source, pattern);
  } catch (error) {
    const lost = error instanceof OpError && (error.isUnreadable || error.status === 0); // it printed something that op-js cannot read
    if (!lost) throw error instanceof Failure ? error : explain(error, attempted);
  }
  const again = await ask`op ${words}`.nothrow();
  if (again.exitCode !== 0)
    throw (
      troubleOf({ text: again.stderr, exitCode: again.exitCode, signal: again.signal }, attempted) ??
      new Failure({ attempted, said: plain(again.stderr) || `op ended with ${again.exitCode} and no word` })
    );
  return again.stdout.trim() === "" ? undefined : readJson<T>(again.stdout, source, pattern);
}

function explain(error: unknown, attempted: string): Failure {
  if (!(error instanceof OpError)) throw error; // Ctrl-C
  const text = error.originalMessage ?? textOf(error);
  if (error.late) return troubleOf({ text, signal: "SIGTERM" }, attempted)!;
  return troubleOf({ text }, attempted) ?? new Failure({ attempted, said: plain(text) }, { cause: error });
}

/** A name that op-js passes to `op` unchanged. Throws for others. */
function unquoted(name: string): string {
  if (/["'$`\\]/.test(name))
    throw new UsageError(
      `vault ${name}: a name with quotes, $ or \\ cannot be used, give its ID in talos/cluster.yaml (onepassword.vault)`,
    );
  return name;
}
