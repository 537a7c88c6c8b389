// Rehearses the operator's first day in a simulated home, from an empty vault to a cluster that Flux keeps. It cannot reach the real home.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../lib/run/errors.ts";
import { flag, integer, maybeText } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { table, type Ui } from "../lib/run/ui.ts";

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export const rehearse = procedure({
  name: "lab:rehearse",
  about: "rehearse the first day in a simulated home",
  cluster: false,
  interrupted: "the simulated home was removed; the next run starts with a new one",
  scope: "none",
  options: {
    real: flag("use the real talosctl, kubectl, helm, helmfile and flux, and a real API server; needs npm run tools:build"),
    interrupt: flag("kill each run before and after every effect, resume it, and require the same end state"),
    fault: maybeText("rehearse with the fault of this name; all: one rehearsal for each fault"),
    minutes: integer("with interrupt or fault: time limit in minutes; the rest is skipped and counted", {
      min: 1,
      max: 300,
      otherwise: 60,
    }),
    whole: flag("with interrupt or fault: fail if the time limit skips any"),
    seed: maybeText("with interrupt or fault: seed of the random order"),
    only: maybeText("with interrupt: procedures to kill, comma-separated; all by default"),
    keep: flag("keep the folder of the home"),
  },
  async run({ real, interrupt, fault, minutes, whole, seed = "0", only, keep }, { ui, signal }) {
    if (real) (await import("../../test/simulators/real/real-tools.ts")).realTools(); // reports missing tools before a home starts
    const { fullDay } = await import("../../test/rehearsal/full-day.ts");
    if (interrupt) {
      const { allInterruptions } = await import("../../test/rehearsal/all-interruptions.ts");
      return conclude(
        ui,
        await allInterruptions(PROJECT, { minutes, seed, ui, real, signal, ...(only && { only: only.split(",") }) }),
        whole,
      );
    }
    if (fault) {
      const { daysWithFaults } = await import("../../test/rehearsal/days-with-faults.ts");
      return conclude(ui, await daysWithFaults(PROJECT, fault, { ui, minutes, seed, real, signal }), whole);
    }
    const day = await fullDay(PROJECT, { ui, keep, real, signal });
    ui.result(
      day,
      [
        table(
          ["stage", "observed", "time"],
          day.stages.map(({ stage, saw, seconds }) => [stage, short(saw), `${seconds.toFixed(1)} s`]),
        ),
        ...day.closing,
      ].join("\n"),
    );
  },
});

/** Fits the table into 80 columns; the report and OUTPUT=json have the full text. */
const short = (text: string) => (text.length > 48 ? `${text.slice(0, 47)}…` : text);

interface Outcome {
  what: "faults" | "interruptions";
  /** How many there are, how many ran in time, and from how many the product recovered. */
  all: number;
  tried: number;
  survived: number;
  wrong: string[];
  line: string;
}

/** Prints the counts. Throws when the product did not recover from one, or when all were requested and the time ran out. */
export function conclude(ui: Pick<Ui, "result">, { all, tried, survived, wrong, line, what }: Outcome, whole: boolean): void {
  ui.result({ all, tried, survived, wrong }, line);
  if (wrong.length > 0) throw new Failure({ failed: `${tried - survived} of ${tried} ${what} did not recover`, said: wrong.join("\n") });
  if (whole && tried < all)
    throw new Failure({
      attempted: `run all ${all}`,
      said: `only ${tried} ran in time`,
      next: "the same command with more --minutes",
    });
}

await main(import.meta, rehearse);
