// Stops a simulated home and removes its folder.
import { rm } from "node:fs/promises";
import { effect } from "../lib/run/effects.ts";
import { lives } from "../lib/run/files.ts";
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { homeFolder, labTask, lookAt, USUAL_NAME } from "../lib/lab/simulated-home.ts";
import { inState } from "../lib/run/state-folder.ts";
import { until } from "../lib/run/wait.ts";

export const down = procedure({
  name: "lab:down",
  about: "stop a simulated home and delete it",
  cluster: false,
  scope: "none",
  options: { name: text("its name", USUAL_NAME) },
  async run({ name: home }, { ui, env, dryRun, signal }) {
    const folder = homeFolder(env.HOME_OPS_STATE!, home);
    const { pid, there, socket } = lookAt(folder);
    if (pid === undefined && !there) return ui.say(`there is no simulated home in ${folder}`);
    if (dryRun)
      return void (await ui.confirm({
        title: `lab:down ${home}`,
        lines: [...(pid === undefined ? [] : [`end process ${pid}`]), `remove ${folder}`],
      }));
    if (pid !== undefined) {
      await effect("command", `end the simulated home, process ${pid}`, async () => void process.kill(pid, "SIGTERM"));
      await until(async () => (lives(pid) ? { waiting: "it is stopping" } : { ready: true }), {
        for: `process ${pid} to end`,
        seconds: 10,
        ui,
        signal,
        next: labTask("down", home),
      });
    }
    await effect("file", `remove ${folder}`, async () => {
      if (socket !== undefined) await rm(socket, { recursive: true, force: true });
      await inState(env.HOME_OPS_STATE!, () => rm(folder, { recursive: true, force: true }));
    });
    ui.say(`the simulated home was removed: ${folder}`);
  },
});

await main(import.meta, down);
