// Every point of the bootstrap at which it can be killed, as many as the time allows, two homes side by side.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ui } from "../../scripts/lib/ui.ts";
import { askHome } from "../simulators/control.ts";
import { DAY, live, lodge } from "./day.ts";
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
}

export async function allInterruptions(project: string, { minutes, seed, ui, only, most = Infinity, real = false }: Wanted) {
  const courses = await courseOfTheDay(project, ui, real, only);
  const all = shuffled(
    courses.flatMap((course) => course.points.map((point) => ({ course, point }))),
    seed,
  ).slice(0, most);
  const until = performance.now() + minutes * 60_000; // the points had to be found first
  const wrong: string[] = [];
  let tried = 0;
  const next = async (): Promise<void> => {
    for (let one = all[tried]; one && performance.now() < until; one = all[tried]) {
      tried += 1;
      const found = await survive(project, one.course, one.point);
      const name = `${one.course.step.name} killed at ${nameOf(one.point)}`;
      wrong.push(...found.map((what) => `${name}: ${what}`));
      if (found.length > 0) ui.say(`${name}: ${found.join("; ")}`);
      ui.progress(`${tried} of ${all.length} interruptions: ${name}${found.length ? " FAILED" : ""}`);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, next));
  for (const { before } of courses) rmSync(before, { recursive: true, force: true });
  const survived = tried - new Set(wrong.map((line) => line.split(": ")[0])).size;
  return {
    tried,
    survived,
    wrong,
    line: `${survived} of ${tried} interruption points survived${tried < all.length ? ` (${all.length} in all; time for ${tried})` : ""}`,
  };
}

/** Lives the day once, keeping a copy of the home before each step, and charts each step that changes something. */
async function courseOfTheDay(project: string, ui: Ui, real: boolean, only?: string[]): Promise<Course[]> {
  const home = await lodge({ project, real });
  const courses: Course[] = [];
  try {
    for (const step of DAY) {
      if (step.person) await askHome(home.folder, "person");
      if (!ONLY_READS.includes(step.name) && (!only || only.includes(step.name))) {
        await askHome(home.folder, "settle");
        const before = mkdtempSync(join(tmpdir(), "rehearsal-before-"));
        // etcd's files can be copied only while nobody writes them
        if (real) await askHome(home.folder, "quiesce");
        cpSync(home.folder, before, { recursive: true, verbatimSymlinks: true });
        if (real) await askHome(home.folder, "resume");
        const course = await chart(project, before, { ...step, person: false }, real);
        courses.push(course);
        ui.say(`${step.name}: ${course.points.length} points`);
      }
      const ran = await live(home.folder, { ...step, person: false });
      if (ran.code !== 0) throw new Error(`${step.name} failed (exit ${ran.code}):\n${ran.stderr}`);
    }
  } finally {
    await home.close();
  }
  return courses;
}
