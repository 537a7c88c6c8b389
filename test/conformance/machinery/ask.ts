// Asks Talos' and the Image Factory's own code, which test/tools builds into small programs that answer line by line.
import { spawnSync } from "node:child_process";
import { builtTools } from "../../tools/find.ts";

/** The minor versions of Talos that the project renders configs for. */
export const MINORS = [12, 13, 14] as const;
export type Minor = (typeof MINORS)[number];

export interface MachineryRequest {
  do: "patch" | "read" | "validate" | "types";
  config: string;
  patch?: string;
  strict?: boolean;
}
export interface MachineryAnswer {
  config?: string;
  warnings?: string[];
  types?: Record<string, string>;
  error?: string;
}
export interface FactoryAnswer {
  id?: string;
  text?: string;
  error?: string;
}

export const machinery = (minor: Minor, requests: readonly MachineryRequest[]) =>
  answers<MachineryAnswer>(`talos-machinery-1.${minor}`, requests);

export const factory = (schematics: readonly string[]) =>
  answers<FactoryAnswer>(
    "factory-schematic",
    schematics.map((schematic) => ({ schematic })),
  );

function answers<T>(tool: string, requests: readonly object[]): T[] {
  const input = requests.map((one) => `${JSON.stringify(one)}\n`).join("");
  const { stdout, stderr, status, error } = spawnSync(builtTools().bin(tool), { input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${tool} ended with ${status}: ${error?.message ?? stderr}`);
  const lines = stdout.trim().split("\n");
  if (lines.length !== requests.length) throw new Error(`${tool} gave ${lines.length} answers to ${requests.length} requests: ${stderr}`);
  return lines.map((line) => JSON.parse(line) as T);
}
