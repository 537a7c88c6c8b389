// versions.env, overridden by the environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./errors.ts";

export interface Versions {
  TALOS_VERSION: string;
  KUBERNETES_VERSION: string;
  FLUX_VERSION: string;
  [name: string]: string;
}

const REQUIRED = ["TALOS_VERSION", "KUBERNETES_VERSION", "FLUX_VERSION"] as const;
const VERSION = /^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** Kubernetes minors that each Talos minor supports (Talos' own compatibility table). */
const KUBERNETES_OF: Record<string, [lowest: number, highest: number]> = {
  "1.11": [29, 34],
  "1.12": [30, 35],
  "1.13": [31, 36],
  "1.14": [32, 37],
};

/** Reads `<root>/versions.env`; a name that the environment sets wins. Throws one UsageError with everything that is wrong, by line. */
export function loadVersions(root: string, env: NodeJS.ProcessEnv): Versions {
  const file = join(root, "versions.env");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`versions.env: cannot be read: ${(error as Error).message} (are you in the project's folder?)`);
  }
  const { versions, wrong } = readVersions(text, env);
  if (wrong.length) throw new UsageError(wrong.join("\n"));
  return versions;
}

/** The same from a text; `wrong` has a line for each finding. */
export function readVersions(text: string, env: NodeJS.ProcessEnv): { versions: Versions; wrong: string[] } {
  const versions: Record<string, string> = {};
  const where: Record<string, string> = {};
  const wrong: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const at = `versions.env:${index + 1}`;
    if (!line.trim() || line.trim().startsWith("#")) continue;
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=["']?([^"'#\s]*)["']?\s*(?:#.*)?$/.exec(line) ?? [];
    if (name === undefined) wrong.push(`${at}: "${line}" is no NAME=value`);
    else if (name in versions) wrong.push(`${at}: ${name} stands twice; first in ${where[name]}`);
    else [versions[name], where[name]] = [value!, at];
  }
  for (const name of new Set([...Object.keys(versions), ...REQUIRED])) {
    if (env[name]) [versions[name], where[name]] = [env[name], "environment"];
  }
  for (const name of REQUIRED) {
    if (!versions[name]) wrong.push(`versions.env: ${name} is missing (a line ${name}=v1.2.3)`);
    else if (!VERSION.test(versions[name])) wrong.push(`${where[name]}: ${name}: "${versions[name]}" is no version (write it like v1.2.3)`);
  }
  wrong.push(...unsupported(versions, where));
  return { versions: versions as Versions, wrong };
}

/** A Kubernetes that this Talos does not support; a Talos that is not in the table says nothing. */
function unsupported({ TALOS_VERSION = "", KUBERNETES_VERSION = "" }: Record<string, string>, where: Record<string, string>): string[] {
  const talos = /^v(\d+\.\d+)\./.exec(TALOS_VERSION)?.[1];
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(KUBERNETES_VERSION) ?? [];
  const range = KUBERNETES_OF[talos ?? ""];
  if (!range || minor === undefined || (major === "1" && Number(minor) >= range[0] && Number(minor) <= range[1])) return [];
  return [
    `${where.KUBERNETES_VERSION}: KUBERNETES_VERSION: Talos ${TALOS_VERSION} does not support Kubernetes ${KUBERNETES_VERSION} (v1.${range[0]} to v1.${range[1]})`,
  ];
}
