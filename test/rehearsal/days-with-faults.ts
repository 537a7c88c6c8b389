// Runs the day with a fault. A fault that passes must not stop the day; any other must stop it with a clear error, do no harm, and let it resume once it is fixed.
import { UsageError } from "../../scripts/lib/run/errors.ts";
import { nearest } from "../../scripts/lib/text/nearest.ts";
import type { Ui } from "../../scripts/lib/run/ui.ts";
import { askHome } from "../simulators/control.ts";
import { FAULTS, type Fault, type FaultSpec, specOf } from "../simulators/world/faults.ts";
import { shuffled } from "./interrupt.ts";
import { DAY, finalState, runStep, type Ran } from "./day.ts";
import { startHome } from "./home-process.ts";
import { violationsOf } from "./violations.ts";

/** Strikes of a fault that stays until it is fixed. */
const UNTIL_FIXED = 1e9;

export async function daysWithFaults(
  project: string,
  wanted: string,
  { ui, minutes, seed, real = false, signal }: { ui: Ui; minutes: number; seed: string; real?: boolean; signal: AbortSignal },
) {
  const until = performance.now() + minutes * 60_000;
  const names = wanted === "all" ? shuffled(allFaults(real), seed) : [known(wanted, real)];
  const wrong: string[] = [];
  let survived = 0;
  let tried = 0;
  for (const fault of names) {
    if (performance.now() > until) break;
    signal.throwIfAborted();
    tried += 1;
    const found = await dayWithFault(project, fault, { real, signal }).catch((error: unknown) => [
      error instanceof Error ? error.message : String(error),
    ]);
    if (found.length === 0) survived += 1;
    wrong.push(...found.map((line) => `${fault}: ${line}`));
    ui.say(`${found.length ? "FAILED" : "survived"}: ${fault} (${FAULTS[fault].about})`);
  }
  const left = tried < names.length ? ` (${names.length} in all; time for ${tried})` : "";
  return {
    all: names.length,
    tried,
    survived,
    wrong,
    what: "faults" as const,
    line: `the product recovered from ${survived} of ${tried} faults${left}`,
  };
}

/** Why this fault cannot happen in the rehearsal; undefined if it can. */
function whyNot(fault: Fault, real: boolean): string | undefined {
  const { outside } = specOf(fault);
  return outside?.firstDay ?? (real ? outside?.realTools : undefined);
}

const allFaults = (real: boolean) => (Object.keys(FAULTS) as Fault[]).filter((fault) => whyNot(fault, real) === undefined);

function known(name: string, real: boolean): Fault {
  const why = name in FAULTS ? whyNot(name as Fault, real) : undefined;
  if (why !== undefined) throw new UsageError(`the fault ${name} cannot happen in this rehearsal: ${why}`);
  if (name in FAULTS) return name as Fault;
  const near = nearest(name, Object.keys(FAULTS));
  throw new UsageError(`no fault is called ${name}${near ? `; did you mean ${near}?` : ""}\n  faults: ${Object.keys(FAULTS).join(" ")}`);
}

/** Runs the day with the fault on. After a step that stops, it fixes the fault and runs the step again. */
async function dayWithFault(project: string, fault: Fault, { real, signal }: { real: boolean; signal: AbortSignal }): Promise<string[]> {
  const spec = specOf(fault);
  const stops = spec.ends === "stops";
  const haste = spec.ends === "stops" && spec.late === true;
  const home = await startHome({ project, real, signal });
  const runs: Ran[] = [];
  const wrong: string[] = [];
  try {
    await askHome(home.folder, "faults", { on: { [fault]: stops ? UNTIL_FIXED : (spec.strikes ?? 1) } });
    for (const step of DAY) {
      // a run that waits in vain gives up sooner if time passes faster
      const env: Record<string, string> = haste ? { LAB_HASTE: "90", HOME_OPS_PATIENCE: "3" } : {};
      let ran = await runStep(home.folder, step, { broken: home.broken, env });
      runs.push(ran);
      if (ran.code !== 0 && stops) {
        wrong.push(...problemsOfError(ran, spec.says));
        await askHome(home.folder, "faults", { off: [fault] });
        const confirm = spec.ends === "stops" && spec.confirm !== undefined ? ["--confirm", spec.confirm] : [];
        ran = await runStep(home.folder, { ...step, words: [...step.words, ...confirm] });
        runs.push(ran);
      }
      if (ran.code !== 0) return [`${step.name} ended with ${ran.code}: ${ran.stderr.trim().split("\n").slice(-5).join(" | ")}`];
    }
    if (stops && runs.length === DAY.length) wrong.push("no step stopped because of the fault");
    const { faults } = (await askHome(home.folder, "status")) as { faults: Partial<Record<Fault, number>> };
    wrong.push(...problemsOfSilence(spec, runs, faults[fault] ?? 0));
    const { nodes, flux } = await finalState(home.folder);
    if (nodes !== "3/3" || flux.split("/")[0] !== flux.split("/")[1]) wrong.push(`ended with ${nodes} nodes Ready, Flux ${flux}`);
    return [...wrong, ...(await violationsOf(home.folder, runs))];
  } finally {
    await home.close();
  }
}

/** What is wrong after a fault that passes: it must have happened, and a run must mention it, unless the fault declares why not. */
export function problemsOfSilence(spec: FaultSpec, runs: Pick<Ran, "stdout" | "stderr">[], left: number): string[] {
  if (spec.ends === "stops") return [];
  if (!spec.stands && left >= (spec.strikes ?? 1)) return ["the fault did not happen during the day"];
  if (spec.absorbed !== undefined) return [];
  const mentioned = runs.some(({ stdout, stderr }) => spec.says?.test(`${stdout}\n${stderr}`));
  return mentioned ? [] : [`no run mentions the fault (${spec.says ?? "it declares neither `says` nor `absorbed`"})`];
}

/** The error at the end of the output, without the lines printed before it. */
export function errorOf(stderr: string): string {
  const lines = stderr.trimEnd().split("\n");
  const first = lines.findLastIndex((line) => /^\S/.test(line));
  return lines.slice(first).join("\n");
}

/** What is wrong with the error of a step that stopped: it must say what failed, name the fault and the next command, and not be a crash. */
export function problemsOfError({ name, code, stderr }: Pick<Ran, "name" | "code" | "stderr">, says: RegExp | undefined): string[] {
  const error = errorOf(stderr);
  const isClear = /could not |not |no /.test(error) && /task |next:|op |talosctl |kubectl |CONFIRM=/.test(error);
  const crash = /\bat .*\(.*:\d+:\d+\)|node:internal|TypeError|ReferenceError/.test(stderr);
  return [
    ...(isClear ? [] : [`${name} stopped (exit ${code}) without a next command: ${error.slice(-300)}`]),
    ...(says === undefined || says.test(error)
      ? []
      : [`${name} stopped (exit ${code}) with an error that does not name the fault (${says}): ${error.slice(0, 300)}`]),
    ...(crash ? [`${name} crashed: ${stderr.trim().slice(0, 300)}`] : []),
  ];
}
