// Starts a simulated home, to try any procedure by hand where nothing can be harmed.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { effect } from "../lib/effects.ts";
import { Failure } from "../lib/errors.ts";
import { choice, maybeText, text } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { readIfThere } from "../lib/files.ts";
import { homeFolder, lookAt } from "../lib/simulated-home.ts";
import { until } from "../lib/wait.ts";

const HOME = resolve(dirname(fileURLToPath(import.meta.url)), "../../test/simulators/home.ts");

export const up = procedure({
  name: "lab:up",
  about: "start a simulated home",
  cluster: false,
  options: {
    name: text("its name, when several are to be up", "lab"),
    truenas: choice("version that its NAS speaks", ["25.04.2", "25.10", "26"], "25.10"),
    fault: maybeText("faults to switch on, with commas between: node-slow,registry-flaps"),
  },
  async run({ name: home, truenas, fault }, { ui, env, dryRun, signal }) {
    const folder = homeFolder(env.HOME_OPS_STATE!, home);
    if (lookAt(folder).pid !== undefined) return ui.say(`the home is up already: ${folder}`);
    if (dryRun) return ui.confirm({ title: `lab:up ${home}`, lines: [`start a simulated home in ${folder}`] });
    const log = join(folder, "home.log");
    await effect("command", `start a simulated home in ${folder}`, async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const output = openSync(log, "w", 0o600);
      const words = [
        "--import",
        "tsx",
        HOME,
        folder,
        "--truenas",
        truenas,
        ...(fault ?? "")
          .split(",")
          .filter(Boolean)
          .flatMap((name) => ["--fault", name]),
      ];
      spawn(process.execPath, words, {
        cwd: dirname(HOME),
        detached: true,
        stdio: ["ignore", output, output],
        env: { PATH: env.PATH, HOME: env.HOME, ...(env.TMPDIR !== undefined && { TMPDIR: env.TMPDIR }) },
      }).unref();
    });
    await until(async () => (lookAt(folder).pid === undefined ? { waiting: "it starts" } : { ready: true }), {
      for: "the simulated home",
      seconds: 20,
      ui,
      signal,
    }).catch(async (error: unknown) => {
      throw new Failure(
        { attempted: `start the simulated home in ${folder}`, said: await readIfThere(log), next: "task lab:up" },
        { cause: error },
      );
    });
    ui.say(`a simulated home is up: ${folder}`);
    ui.say("  run any procedure in it:   task lab:run -- secrets:init --yes");
    ui.say(`  do the person's part:      ${join(folder, "bin/home")} person`);
    ui.say("  see how it stands, end it: task lab:status, task lab:down");
  },
});

await main(import.meta, up);
