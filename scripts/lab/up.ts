// Starts a simulated home, in which any procedure can be tried safely.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { effect } from "../lib/run/effects.ts";
import { Failure } from "../lib/run/errors.ts";
import { choice, maybeText, text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { readIfThere } from "../lib/run/files.ts";
import { homeFolder, labTask, lookAt, USUAL_NAME } from "../lib/lab/simulated-home.ts";
import { inState } from "../lib/run/state-folder.ts";
import { until } from "../lib/run/wait.ts";

const HOME = resolve(dirname(fileURLToPath(import.meta.url)), "../../test/simulators/home.ts");

export const up = procedure({
  name: "lab:up",
  about: "start a simulated home",
  cluster: false,
  scope: "none",
  options: {
    name: text("name of the home", USUAL_NAME),
    truenas: choice(
      "version of its NAS",
      { "25.04.2": "VMs with the older device rules", "25.10": "the version of the reference home", "26": "the newest version" },
      "25.10",
    ),
    fault: maybeText("faults to turn on, comma-separated: node-slow,registry-flaps"),
  },
  async run({ name, truenas, fault }, { ui, env, dryRun, signal }) {
    const folder = homeFolder(env.HOME_OPS_STATE!, name);
    if (lookAt(folder).pid !== undefined) return ui.say(`the home is already running: ${folder}`);
    if (dryRun) return void (await ui.confirm({ title: `lab:up ${name}`, lines: [`start a simulated home in ${folder}`] }));
    const log = join(folder, "home.log");
    const home = await effect("command", `start a simulated home in ${folder}`, () =>
      start(folder, log, env, [truenas, ...(fault ?? "").split(",").filter(Boolean)]),
    );
    await until(
      async () => {
        if (home.exitCode !== null) throw await didNotStart(folder, log, labTask("up", name));
        return lookAt(folder).pid === undefined ? { waiting: "it is starting" } : { ready: true };
      },
      { for: "the simulated home", seconds: 120, ui, signal, next: labTask("up", name) },
    );
    ui.say(`the simulated home is running: ${folder}`);
    ui.say(`  it works on a copy of your files: ${join(folder, "repo")}`);
    ui.say(`  run any procedure in it:   ${labTask("run", name)} -- secrets:init --yes`);
    ui.say(`  do the manual steps:       ${join(folder, "bin/home")} person`);
    ui.say(`  see its state, end it:     ${labTask("status", name)}, ${labTask("down", name)}`);
  },
});

/** Starts the home as a process that outlives this one; its output goes to a log file. */
async function start(folder: string, log: string, { PATH, HOME: user, TMPDIR }: NodeJS.ProcessEnv, [truenas = "", ...faults]: string[]) {
  const output = await inState(dirname(dirname(folder)), async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return openSync(log, "w", 0o600);
  });
  const words = ["--import", "tsx", HOME, folder, "--truenas", truenas, ...faults.flatMap((name) => ["--fault", name])];
  const env = { PATH, HOME: user, ...(TMPDIR !== undefined && { TMPDIR }) };
  const home = spawn(process.execPath, words, { cwd: dirname(HOME), detached: true, stdio: ["ignore", output, output], env });
  home.unref();
  closeSync(output);
  return home;
}

const didNotStart = async (folder: string, log: string, next: string) =>
  new Failure({ attempted: `start the simulated home in ${folder}`, said: await readIfThere(log), next });

await main(import.meta, up);
