// How long `bootstrap` takes when there is nothing left to do: the everyday "is it still so?".
import { DAY, runStep, run } from "../rehearsal/day.ts";
import { startHome } from "../rehearsal/home-process.ts";

export async function bootstrapTwice(project: string, times: number): Promise<{ seconds: number[]; commands: number; op: number }> {
  const home = await startHome({ project });
  try {
    for (const step of DAY) {
      const ran = await runStep(home.folder, step);
      if (ran.code !== 0) throw new Error(`${step.name} ended with ${ran.code}:\n${ran.stderr}`);
    }
    const runs = [];
    for (let i = 0; i < times; i += 1) runs.push(await run(home.folder, "bootstrap", ["--yes", "--output", "json"]));
    const told = JSON.parse(runs[0]!.stdout) as { commands: number; op: number };
    return { seconds: runs.map(({ seconds }) => seconds * 1000), commands: told.commands, op: told.op };
  } finally {
    await home.close();
  }
}
