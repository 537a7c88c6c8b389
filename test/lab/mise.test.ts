// The shortcuts of .mise.toml resolve, and the environment that it sets is the one that scripts have by themselves. Skipped where mise is not installed.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { parse } from "yaml";
import { testWith } from "./needs.ts";

const test = testWith("mise");
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mise-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mise = (words: string[], more: NodeJS.ProcessEnv = {}) =>
  spawnSync("mise", words, {
    encoding: "utf8",
    env: {
      ...more,
      PATH: process.env.PATH,
      HOME: folder,
      MISE_TRUSTED_CONFIG_PATHS: process.cwd(),
      MISE_TASK_RUN_AUTO_INSTALL: "false",
      MISE_AUTO_INSTALL: "false",
      MISE_DATA_DIR: join(folder, "data"),
      MISE_CACHE_DIR: join(folder, "cache"),
      MISE_STATE_DIR: join(folder, "state"),
      MISE_CONFIG_DIR: join(folder, "config"),
    },
  });

test("every shortcut leads to a target or a script of package.json", () => {
  const { tasks } = parse(readFileSync("Taskfile.yml", "utf8")) as { tasks: Record<string, unknown> };
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const shortcuts = JSON.parse(mise(["tasks", "ls", "--json"]).stdout) as { name: string; run: string[] }[];
  expect(shortcuts.length).toBeGreaterThan(3);
  for (const { name, run } of shortcuts) {
    const words = run[0]!.split(" ");
    if (words[0] === "npm") expect(scripts, name).toHaveProperty(words[2]!);
    else expect(tasks, name).toHaveProperty([words[2]!]);
  }
});

test("the environment is the one that scripts have without mise", () => {
  const env = JSON.parse(mise(["env", "--json"]).stdout) as Record<string, string>;
  expect(env).toMatchObject({
    KUBECONFIG: join(process.cwd(), "kubeconfig"),
    TALOSCONFIG: join(process.cwd(), "talosconfig"),
    SOPS_AGE_KEY_FILE: join(process.cwd(), "age.key"),
  });
  expect(env.TALOS_VERSION).toMatch(/^v\d+\.\d+\.\d+$/);
});

test("MISE_ENV=real adds the servers that the real tools run against, and leads to what is installed", () => {
  const names = (more: NodeJS.ProcessEnv) => Object.keys(JSON.parse(mise(["ls", "--current", "--json"], more).stdout) as object);
  const daily = names({});
  expect(names({ MISE_ENV: "real" }).filter((name) => !daily.includes(name))).toEqual([
    "aqua:kubernetes/kubernetes/kube-apiserver",
    "aqua:vmware/govmomi/govc",
    "aqua:vmware/govmomi/vcsim",
    "etcd",
    "go",
  ]);
  const installed = join(folder, "data/installs/helmfile/1.8.0");
  mkdirSync(installed, { recursive: true });
  const env = JSON.parse(mise(["env", "--json"], { MISE_ENV: "real" }).stdout) as Record<string, string>;
  expect(env.REAL_TOOLS!.split(":")).toContain(installed);
});
