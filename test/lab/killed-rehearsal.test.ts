// A rehearsal that is killed leaves no process and no folder, whatever it was doing. Everything that it makes lies in a temporary folder of its own here.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { shareCompiled } from "../simulators/fork/compiled.ts";
import { whenPresent } from "../simulators/present.ts";
import { processesWith } from "../simulators/processes.ts";

/** Only stops a test that hangs. */
const HANGS_MS = 300_000;

interface Trial {
  /** Waits until something is so; throws when the rehearsal ends before. */
  sees(what: () => boolean): Promise<void>;
  processes(): number[];
  /** Names in the temporary folder, without the report and what tsx compiled. */
  folders(): string[];
  /** Names in the folder of the rehearsal's first home, or in a folder below it. */
  home(below?: string): string[];
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | NodeJS.Signals | null>;
  remove(): void;
}

function start(words: string[] = []): Trial {
  const scratch = mkdtempSync(join(tmpdir(), "killed-"));
  shareCompiled(scratch);
  const rehearsal = spawn(process.execPath, ["--import", "tsx", "scripts/lab/rehearse.ts", ...words], {
    env: { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch, HOME_OPS_STATE: join(scratch, "state") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(rehearsal, "exit");
  let said = "";
  rehearsal.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const folders = () => names(scratch).filter((name) => name !== "state" && !name.startsWith("tsx-"));
  const processes = () => processesWith(scratch);
  return {
    processes,
    folders,
    home: (below = "") => names(join(scratch, folders().find((name) => name.startsWith("rehearsal-")) ?? "none", below)),
    async sees(what) {
      while (!what()) {
        if (rehearsal.exitCode !== null) throw new Error(`the rehearsal ended too early: ${said}`);
        await pause(5);
      }
    },
    async end(signal) {
      rehearsal.kill(signal);
      await exit;
      for (const began = performance.now(); performance.now() - began < HANGS_MS / 5; await pause(50))
        if (processes().length === 0 && folders().length === 0) break;
      return rehearsal.signalCode ?? rehearsal.exitCode;
    },
    remove() {
      for (const pid of processes()) process.kill(pid, "SIGKILL");
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

const names = (folder: string): string[] => whenPresent(() => readdirSync(folder)) ?? [];

const MOMENTS: [name: string, moment: (trial: Trial) => Promise<unknown>, words?: string[]][] = [
  ["at once", () => pause(0)],
  ["after 150 ms", () => pause(150)],
  ["when the process of the home starts", (trial) => trial.sees(() => trial.processes().length > 1)],
  ["when the home makes its folder", (trial) => trial.sees(() => trial.home().length > 0)],
  ["when the home writes its world", (trial) => trial.sees(() => trial.home().includes("world.json"))],
  ["when the home is up", (trial) => trial.sees(() => trial.home().includes("home.json"))],
  ["when a procedure starts", (trial) => trial.sees(() => trial.home().includes("spawned.ndjson"))],
  ["when a procedure has called tools", (trial) => trial.sees(() => trial.home().includes("commands.ndjson"))],
  ["when a copy is made, to interrupt runs in", (trial) => trial.sees(() => trial.home("copies").length > 0), ["--interrupt"]],
  [
    "when a second home is up",
    (trial) => trial.sees(() => trial.folders().filter((name) => name.startsWith("home-")).length > 1),
    ["--interrupt"],
  ],
];

describe.concurrent("a rehearsal leaves no process and no folder", () => {
  test.each(MOMENTS)(
    "after kill -9 %s",
    async (_name, moment, words) => {
      const trial = start(words);
      try {
        await moment(trial);
        expect(await trial.end("SIGKILL")).toBe("SIGKILL");
        expect([trial.processes(), trial.folders()]).toEqual([[], []]);
      } finally {
        trial.remove();
      }
    },
    HANGS_MS,
  );

  test(
    "after SIGTERM, and it ends at once",
    async () => {
      const trial = start();
      try {
        await trial.sees(() => trial.home().includes("commands.ndjson"));
        expect(await trial.end("SIGTERM")).toBe(130);
        expect([trial.processes(), trial.folders()]).toEqual([[], []]);
      } finally {
        trial.remove();
      }
    },
    HANGS_MS,
  );
});
