// The files that lint:secrets reads: those of the working tree that Git has or could get, or the ones that are staged.
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { whenPresent } from "../../run/files.ts";
import { explained } from "../../run/explained.ts";
import { ask } from "../../run/shell.ts";

/** A bigger file is named and not searched: no text that a person writes is so big. */
export const MAX_SIZE = 32 * 1024 * 1024;

export interface ListedFile {
  path: string;
  size: number;
  /** Its bytes; undefined for a file that is too big. */
  read: (() => Promise<Buffer>) | undefined;
}

/** Tracked files and those that the next `git add` could take. Git stores only the target of a symbolic link, so only regular files are read. */
export async function workingFiles(root: string): Promise<ListedFile[]> {
  const out = await explained({ attempted: "list the files of the repository" }, () =>
    ask`git ls-files --cached --others --exclude-standard -z`.text(),
  );
  const paths = [...new Set(out.split("\0").filter(Boolean))];
  const files = await Promise.all(
    paths.map(async (path): Promise<ListedFile | undefined> => {
      const file = join(root, path);
      const stats = await whenPresent(lstat(file)); // deleted in the folder, still in the index
      if (!stats?.isFile()) return undefined;
      return {
        path,
        size: stats.size,
        read: stats.size > MAX_SIZE ? undefined : async () => (await whenPresent(readFile(file))) ?? Buffer.alloc(0),
      };
    }),
  );
  return files.filter((file) => file !== undefined);
}

/** `:100644 100644 <old> <new> M`, then the path. `T` is a link that became a file. */
const RAW = /:\d+ 100\d+ [0-9a-f]+ ([0-9a-f]+) [ACMT]\0([^\0]+)\0/g;

const STAGED = { attempted: "read the staged files" };

/** Regular files of the index that differ from the last commit, as the index has them: the folder may differ. Three processes, however many files. */
export async function stagedFiles(): Promise<ListedFile[]> {
  const out = await explained(STAGED, () => ask`git diff --cached --raw --no-abbrev --no-renames --diff-filter=ACMT -z`.text());
  const staged = [...out.matchAll(RAW)].map(([, id = "", path = ""]) => ({ id, path }));
  const ids = [...new Set(staged.map(({ id }) => id))];
  if (ids.length === 0) return [];
  const sizes = await explained(STAGED, () =>
    ask({ input: `${ids.join("\n")}\n` })`cat | git cat-file ${"--batch-check=%(objectname) %(objectsize)"}`.text(),
  );
  const sizeOf = new Map([...sizes.matchAll(/^(\w+) (\d+)$/gm)].map(([, id = "", size]) => [id, Number(size)]));
  const small = ids.filter((id) => sizeOf.get(id)! <= MAX_SIZE);
  const blobs = small.length === 0 ? new Map<string, Buffer>() : await contents(small);
  return staged.map(({ id, path }) => {
    const blob = blobs.get(id);
    return { path, size: sizeOf.get(id) ?? 0, read: blob && (async () => blob) };
  });
}

/** The content of these objects; through base64, since a command's output is read as text. */
async function contents(ids: readonly string[]): Promise<Map<string, Buffer>> {
  const text = await explained(STAGED, () =>
    ask({ input: `${ids.join("\n")}\n`, timeout: "2m" })`cat | git cat-file --batch | base64`.text(),
  );
  return blobsIn(Buffer.from(text, "base64"));
}

/** What `git cat-file --batch` prints: `<id> blob <size>`, the content, a line end, and so on. */
export function blobsIn(batch: Buffer): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  for (let at = 0; at < batch.length;) {
    const end = batch.indexOf("\n", at);
    const [id = "", , size = "0"] = batch.subarray(at, end).toString().split(" ");
    blobs.set(id, batch.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return blobs;
}
