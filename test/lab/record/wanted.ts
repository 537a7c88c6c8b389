// How every procedure has to be seen to end: each succeeds and refuses wrong words; one that changes something also shows its plan in a dry run, and refuses
// to act where it must not.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./outcomes.ts";
import type { Procedure } from "../../../scripts/lib/run/spec.ts";

const READS: Outcome[] = ["success", "wrong usage"];
const CHANGES: Outcome[] = [...READS, "dry run", "refusal"];

export async function wantedOutcomes(): Promise<Map<string, Outcome[]>> {
  return new Map((await specs()).map(({ name, scope }) => [name, scope === "none" ? READS : CHANGES]));
}

/** The names of those that change something outside. */
export const proceduresThatChange = async (): Promise<string[]> =>
  (await specs()).filter(({ scope }) => scope !== "none").map(({ name }) => name);

function specs(): Promise<Procedure[]> {
  const files = readdirSync("scripts", { recursive: true, encoding: "utf8" });
  return Promise.all(files.filter((file) => /^(?!lib\/).*\.ts$/.test(file) && !file.endsWith(".d.ts")).map((file) => specIn(file)));
}

/** A script exports the procedure that has its name. */
async function specIn(file: string): Promise<Procedure> {
  const name = file.replace(/\.ts$/, "").replace("/", ":");
  const exported = Object.values((await import(join(process.cwd(), "scripts", file))) as Record<string, unknown>);
  const spec = exported.find((one) => typeof one === "object" && one !== null && "run" in one && (one as Procedure).name === name);
  if (spec === undefined) throw new Error(`scripts/${file} exports no procedure that is called ${name}`);
  return spec as Procedure;
}
