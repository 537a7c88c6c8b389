// Builds one tool beside its place and then puts it there, so that a build that fails or is killed leaves nothing that looks like a tool.
import { chmod, cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { lives, whenPresent } from "../../scripts/lib/run/files.ts";
import { ask } from "../../scripts/lib/run/shell.ts";
import { readJson } from "../../scripts/lib/run/tool-output.ts";
import { linkerFlags, type Place } from "./cache.ts";
import { names } from "./given.ts";
import { goEnvironment } from "./go.ts";
import type { BuiltTool } from "./table.ts";
import { type Trouble, troubleOf } from "./trouble.ts";

/** A tool that could not be built; the message is the one line that says why. */
export class BuildError extends Error {
  override name = "BuildError";
  readonly everywhere: boolean;
  constructor({ line, everywhere }: Trouble) {
    super(line);
    this.everywhere = everywhere ?? false;
  }
}

/** Builds the tool into its place; everything on the way, Go's own temporary files too, is in one draft folder that goes away in any case. */
export async function compile({ tool, folder }: Place, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const draft = `${dirname(folder)}/.${basename(folder)}.${process.pid}.draft`;
  try {
    await mkdir(join(draft, "out"), { recursive: true });
    const go = { ...goEnvironment(env), GOTMPDIR: draft };
    const cwd = tool.embeds === undefined ? tool.folder : await withEmbedded(tool, tool.embeds, draft, go);
    const binary = join(draft, "out", tool.name);
    const words = [
      ...(tool.modfile === undefined ? [] : [`-modfile=${tool.modfile}`]),
      "-ldflags",
      linkerFlags(tool),
      "-o",
      binary,
      tool.package,
    ];
    const built = await $({ cwd, env: go })`go build ${words}`.nothrow();
    signal.throwIfAborted();
    if (built.exitCode !== 0) throw new BuildError(troubleOf(built.stderr));
    await refuseWrongVersion(tool, binary);
    await rename(join(draft, "out"), folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY") throw error; // another run was quicker: its tool is the same
    });
  } catch (error) {
    signal.throwIfAborted();
    throw (error as NodeJS.ErrnoException).code === "ENOSPC" ? new BuildError(troubleOf("no space left on device")) : error;
  } finally {
    await discard(draft);
  }
}

async function refuseWrongVersion(tool: BuiltTool, binary: string): Promise<void> {
  if (!tool.asks) return;
  const { stdout, stderr } = await ask`${binary} ${tool.asks}`.nothrow();
  if (names(`${stdout}\n${stderr}`, tool.version)) return;
  throw new BuildError({ line: `it says that it is ${JSON.stringify((stdout || stderr).trim())}` });
}

/** Go embeds nothing into a module of its cache: a copy of the module gets the file, and a copy of go.mod leads there. */
async function withEmbedded(tool: BuiltTool, file: string, draft: string, env: NodeJS.ProcessEnv): Promise<string> {
  const had = await $({ cwd: tool.folder, env })`go mod download -json ${`${tool.module}@${tool.version}`}`.nothrow();
  const said = had.stdout.trim() || "{}"; // without an answer stderr says why
  const { Dir, Error: why } = readJson<{ Dir?: string; Error?: string }>(said, { command: `go mod download -json ${tool.module}` }, {});
  if (Dir === undefined) throw new BuildError(troubleOf(why ?? had.stderr));
  const copy = join(draft, "module");
  await cp(Dir, copy, { recursive: true });
  await makeWritable(copy);
  await mkdir(dirname(join(copy, file)), { recursive: true });
  await writeFile(join(copy, file), "");
  const work = join(draft, "work");
  await mkdir(work);
  for (const name of ["go.mod", "go.sum"]) await cp(join(tool.folder, name), join(work, name));
  await $({ cwd: work, env })`go mod edit -replace ${`${tool.module}=${copy}`}`;
  return work;
}

async function discard(draft: string): Promise<void> {
  await makeWritable(draft);
  await rm(draft, { recursive: true, force: true });
}

/** Go's cache has folders that nobody may write to, and so has their copy: neither can a file be put there nor can it be removed. */
async function makeWritable(folder: string): Promise<void> {
  await whenPresent(chmod(folder, 0o755));
  for (const entry of (await whenPresent(readdir(folder, { withFileTypes: true }))) ?? []) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}

/** Removes what builds left that were killed; drafts of processes that still live are theirs. */
export async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^\..*\.(\d+)\.draft$/.exec(name)?.[1] ?? 0);
    if (pid > 0 && !lives(pid)) await discard(join(folder, name));
  }
}
