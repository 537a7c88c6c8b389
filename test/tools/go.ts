// The Go toolchain of this machine: is there one, is it new enough, and how it is always called.
import { spawnSync } from "node:child_process";
import { UsageError } from "../../scripts/lib/run/errors.ts";

/** The oldest Go that every module of test/tools builds with: the highest `go` line of their go.mod. */
export const OLDEST_GO = "1.26.6";
const HINT = `install Go ${OLDEST_GO} or newer (https://go.dev/dl, or \`mise use -g go\`), or set REAL_TOOLS to a folder that has the tools`;

/** What every build is told. Without the last, Go would ask git about our own programs, and fail where git does not trust the folder. */
export const GOFLAGS = "-mod=readonly -trimpath -buildvcs=false";

/** No setting of the person's may change what is built, and no other toolchain is fetched behind their back. */
export const goEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  GOFLAGS,
  GOTOOLCHAIN: "local",
  GOWORK: "off",
  CGO_ENABLED: "0",
});

/** `go1.26.8 linux amd64`, which is part of every key. Throws one line where Go is missing or too old. */
export function goHere(env: NodeJS.ProcessEnv = process.env, ask: typeof askGo = askGo): string {
  const said = ask(goEnvironment(env));
  if (said === undefined) throw new UsageError(`Go is not installed: ${HINT}`);
  const [version = "", ...platform] = said.trim().split("\n");
  if (!isNewEnough(version)) throw new UsageError(`${version || "this Go"} is too old: ${HINT}`);
  return [version, ...platform].join(" ");
}

/** Whether `go1.26.8` builds what OLDEST_GO builds. A development version has no number and is taken at its word. */
export function isNewEnough(version: string): boolean {
  if (version.startsWith("devel")) return true;
  const [, ...have] = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (!have.length) return false;
  const need = OLDEST_GO.split(".").map(Number);
  for (const [at, part] of need.entries()) {
    const mine = Number(have[at] ?? 0);
    if (mine !== part) return mine > part;
  }
  return true;
}

function askGo(env: NodeJS.ProcessEnv): string | undefined {
  const { status, stdout } = spawnSync("go", ["env", "GOVERSION", "GOOS", "GOARCH"], { env, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}
