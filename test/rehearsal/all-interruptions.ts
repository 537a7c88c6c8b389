// Every point of the bootstrap at which it can be killed, as many as the time allows, two homes side by side.
import type { Ui } from "../../scripts/lib/run/ui.ts";
import { askHome } from "../simulators/control.ts";
import { DAY, live, lodge, type Lodging } from "./day.ts";
import { chart, type Course, nameOf, shuffled, survive } from "./interrupt.ts";

const SIDE_BY_SIDE = 2;
/** These change nothing that a second run would have to find again. */
const ONLY_READS = ["secrets:check"];

export interface Wanted {
  minutes: number;
  seed: string;
  ui: Ui;
  /** Procedures to kill; all when left out. */
  only?: string[];
  /** Points to try at most. */
  most?: number;
  /** With the real tools. */
  real?: boolean;
  signal?: AbortSignal;
}

export async function allInterruptions(project: string, wanted: Wanted) {
  const { real = false, signal } = wanted;
  const home = await lodge({ project, real, ...(signal && { signal }) });
  try {
    return await interruptAll(project, home, wanted);
  } finally {
    await home.close();
  }
}

async function interruptAll(project: string, home: Lodging, { minutes, seed, ui, only, most = Infinity, real = false, signal }: Wanted) {
  const courses = await courseOfTheDay(project, home, { ui, real, signal }, only);
  const all = shuffled(
    courses.flatMap((course) => course.points.map((point) => ({ course, point }))),
    seed,
  ).slice(0, most);
  const until = performance.now() + minutes * 60_000; // the points had to be found first
  const wrong: string[] = [];
  let tried = 0;
  const next = async (): Promise<void> => {
    for (let one = all[tried]; one && performance.now() < until; one = all[tried]) {
      signal?.throwIfAborted();
      tried += 1;
      const found = await survive(project, one.course, one.point);
      const name = `${one.course.step.name} killed at ${nameOf(one.point)}`;
      wrong.push(...found.map((what) => `${name}: ${what}`));
      if (found.length > 0) ui.say(`${name}: ${found.join("; ")}`);
      ui.progress(`${tried} of ${all.length} interruptions: ${name}${found.length ? " FAILED" : ""}`);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, next));
  const survived = tried - new Set(wrong.map((line) => line.split(": ")[0])).size;
  return {
    all: all.length,
    tried,
    survived,
    wrong,
    what: "interruptions" as const,
    line: `the product recovered from ${survived} of ${tried} interruptions${tried < all.length ? ` (${all.length} in all; time for ${tried})` : ""}`,
  };
}

/** Lives the day once, keeping a copy of the home before each step, and charts each step that changes something. The copies stay until the home closes. */
async function courseOfTheDay(
  project: string,
  home: Lodging,
  { ui, real, signal }: { ui: Ui; real: boolean; signal: AbortSignal | undefined },
  only?: string[],
): Promise<Course[]> {
  const courses: Course[] = [];
  for (const step of DAY) {
    if (step.person) await askHome(home.folder, "person");
    if (!ONLY_READS.includes(step.name) && (!only || only.includes(step.name))) {
      await askHome(home.folder, "settle");
      const before = (await askHome(home.folder, "keepCopy", { name: step.name.replace(":", "-") })) as string;
      const course = await chart(project, before, { ...step, person: false }, { real, signal });
      courses.push(course);
      ui.say(`${step.name}: ${course.points.length} points`);
    }
    const ran = await live(home.folder, { ...step, person: false });
    if (ran.code !== 0) throw new Error(`${step.name} failed (exit ${ran.code}):\n${ran.stderr}`);
  }
  return courses;
}
