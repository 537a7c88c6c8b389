// The day with something going wrong: what passes must end well, what stops must stop with a message, hurt nothing, and go on once it is mended.
import { UsageError } from "../../scripts/lib/errors.ts";
import { nearest } from "../../scripts/lib/nearest.ts";
import type { Ui } from "../../scripts/lib/ui.ts";
import { askHome } from "../simulators/control.ts";
import { FAULTS, type Fault } from "../simulators/world/faults.ts";
import { shuffled } from "./interrupt.ts";
import { DAY, ending, live, lodge, misdeeds, type Ran } from "./day.ts";

/** A standing fault stays until it is mended. */
const STANDING = 1e9;

export async function faultyDays(
  project: string,
  wanted: string,
  { ui, minutes, seed, real = false, signal }: { ui: Ui; minutes: number; seed: string; real?: boolean; signal: AbortSignal },
) {
  const until = performance.now() + minutes * 60_000;
  const names = wanted === "all" ? shuffled(Object.keys(FAULTS) as Fault[], seed) : [known(wanted)];
  const wrong: string[] = [];
  let survived = 0;
  let tried = 0;
  for (const fault of names) {
    if (performance.now() > until) break;
    signal.throwIfAborted();
    tried += 1;
    const found = await faultyDay(project, fault, { real, signal }).catch((error: unknown) => [
      error instanceof Error ? error.message : String(error),
    ]);
    if (found.length === 0) survived += 1;
    wrong.push(...found.map((line) => `${fault}: ${line}`));
    ui.say(`${found.length ? "FAILED" : "survived"}: ${fault} (${FAULTS[fault].about})`);
  }
  const left = tried < names.length ? ` (${names.length} in all; time for ${tried})` : "";
  return { tried, survived, wrong, line: `${survived} of ${tried} faults survived${left}` };
}

function known(name: string): Fault {
  if (name in FAULTS) return name as Fault;
  const near = nearest(name, Object.keys(FAULTS));
  throw new UsageError(`no fault is called ${name}${near ? `; did you mean ${near}?` : ""}\n  faults: ${Object.keys(FAULTS).join(" ")}`);
}

/** Lives the day with the fault on; a step that stops is mended and typed again. */
async function faultyDay(project: string, fault: Fault, { real, signal }: { real: boolean; signal: AbortSignal }): Promise<string[]> {
  const { ends, strikes = 1 } = FAULTS[fault] as { ends: "passes" | "stops"; strikes?: number };
  const stops = ends === "stops";
  const home = await lodge({ project, real, signal });
  const runs: Ran[] = [];
  const wrong: string[] = [];
  try {
    await askHome(home.folder, "faults", { on: { [fault]: stops ? STANDING : strikes } });
    for (const step of DAY) {
      // with what never comes the run waits to the end of its patience, which goes faster here
      let ran = await live(home.folder, step, { broken: home.broken, ...(stops && { env: { LAB_HASTE: "60" } }) });
      runs.push(ran);
      if (ran.code !== 0 && stops) {
        wrong.push(...unclear(ran));
        await askHome(home.folder, "faults", { off: [fault] });
        ran = await live(home.folder, step);
        runs.push(ran);
      }
      if (ran.code !== 0) return [`${step.name} ended with ${ran.code}: ${ran.stderr.trim().split("\n").slice(-5).join(" | ")}`];
    }
    if (stops && runs.length === DAY.length) wrong.push("nothing stopped: the fault was not noticed");
    const { nodes, flux } = await ending(home.folder);
    if (nodes !== "3/3" || flux.split("/")[0] !== flux.split("/")[1]) wrong.push(`ended with ${nodes} nodes Ready, Flux ${flux}`);
    return [...wrong, ...(await misdeeds(home.folder, runs))];
  } finally {
    await home.close();
  }
}

/** A stop must say what was attempted and what to type next, and be no crash. */
function unclear({ name, code, stderr }: Ran): string[] {
  const told = /could not |not |no /.test(stderr) && /task |next:|op |talosctl |kubectl /.test(stderr);
  const crash = /\bat .*\(.*:\d+:\d+\)|node:internal|TypeError|ReferenceError/.test(stderr);
  return [
    ...(told ? [] : [`${name} stopped (exit ${code}) without saying what to do: ${stderr.trim().slice(-300)}`]),
    ...(crash ? [`${name} crashed: ${stderr.trim().slice(0, 300)}`] : []),
  ];
}
