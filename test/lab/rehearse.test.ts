// lab:rehearse --real as a process: it finds the real tools where the environment says that they are, and reports what is missing in one line.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { keyOf } from "../tools/cache.ts";
import { readTable } from "../tools/table.ts";

const scratch = mkdtempSync(join(tmpdir(), "rehearse-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const TOOLS = readTable(process.cwd());
const tmp = join(scratch, "tmp");
mkdirSync(tmp);

/** An executable that says its version, and fails at anything else with words of its own. */
function put(folder: string, name: string, version: string): void {
  mkdirSync(folder, { recursive: true });
  const script = `#!/bin/sh\ncase "$1" in *version|-v) echo ${version} ;; *) echo "this is ${folder}/${name}" >&2; exit 1 ;; esac\n`;
  writeFileSync(join(folder, name), script, { mode: 0o755 });
}

/** A `go` for machines that have none: only its version is asked for. */
writeFileSync(join(scratch, "go"), "#!/bin/sh\necho go1.26.8; echo linux; echo amd64\n", { mode: 0o755 });

const rehearse = (env: Record<string, string>) =>
  spawnSync(process.execPath, ["--import", "tsx", "scripts/lab/rehearse.ts", "--real"], {
    encoding: "utf8",
    env: { PATH: `${scratch}:${process.env.PATH}`, HOME: scratch, TMPDIR: tmp, HOME_OPS_STATE: join(scratch, "state"), ...env },
  });

/** What a cache holds once everything was built. */
function built(cache: string): void {
  for (const tool of TOOLS) put(join(cache, "built", `${tool.name}-${keyOf(tool, "go1.26.8 linux amd64")}`), tool.name, tool.version);
}

test("missing tools are one message with the next command, and no home is started", () => {
  const { status, stderr } = rehearse({ HOME_OPS_TOOLS: join(scratch, "nothing") });
  expect(status).not.toBe(0);
  expect(stderr).toContain("real tools are missing: talosctl, kubectl, helm, helmfile, flux, sops, govc, etcd, kube-apiserver, vcsim");
  expect(stderr).toContain("npm run tools:build");
  expect(stderr).not.toMatch(/\bat .*\(.*:\d+:\d+\)|node:internal/);
  expect(readdirSync(tmp).filter((name) => name.startsWith("rehearsal-"))).toEqual([]);
});

test.each([
  ["REAL_TOOLS", "theirs", ""],
  ["HOME_OPS_TOOLS", "cache", ""],
  ["XDG_CACHE_HOME", "xdg", "home-ops-tools"],
])("%s leads the home to the tools", (variable, folder, below) => {
  const place = join(scratch, folder);
  if (variable === "REAL_TOOLS") for (const { name, version } of TOOLS) put(place, name, version);
  else built(join(place, below));
  const { status, stderr } = rehearse({ [variable]: place });
  // the first command that the day needs is answered by the tool of that folder
  expect(stderr).toContain(`this is ${place}`);
  expect(stderr).toContain("could not get through task");
  expect(status).toBe(1);
});
