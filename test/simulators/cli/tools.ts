// Finds the stand-in for a tool: its file in this folder exports it under its own name and is loaded at the first call.
import { existsSync } from "node:fs";
import { NETWORK_TOOLS } from "../environment.ts";
import type { Tool } from "../world/tool.ts";
import { refusing } from "./network.ts";

const loaded = new Map<string, Promise<Tool | undefined>>();

/** A tool is its file in cli/, loaded when it is first called. */
export function findTool(name: string, home: Tool): Promise<Tool | undefined> {
  if (name === "home") return Promise.resolve(home);
  if (NETWORK_TOOLS.includes(name)) return Promise.resolve(refusing(name));
  let tool = loaded.get(name);
  if (!tool) loaded.set(name, (tool = loadTool(name)));
  return tool;
}

async function loadTool(name: string): Promise<Tool | undefined> {
  if (!existsSync(new URL(`${name}/${name}.ts`, import.meta.url))) return undefined;
  const module = (await import(`./${name}/${name}.ts`)) as Record<string, Tool>;
  return module[name];
}
