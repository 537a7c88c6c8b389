// Which Talos a node runs, and what it means when an older one refuses a config.
import type { Node } from "../cluster/cluster.ts";
import { ask } from "../run/shell.ts";
import { talosArgs, type Home } from "./node.ts";

/** `v1.13.9`; undefined when the node does not say. */
export async function versionOf(home: Home, node: Node): Promise<string | undefined> {
  const got = await ask({ timeout: "20s" })`talosctl ${await talosArgs(home, node)} version`.nothrow();
  return /Server:[\s\S]*?Tag:\s*(v\S+)/.exec(got.stdout)?.[1];
}

/** Whether `version` has a lower minor than `other`: then it may not know all that a config for `other` says. */
export function isOlder(version: string, other: string): boolean {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [numbers(version), numbers(other)];
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

const numbers = (version: string) => version.replace(/^v/, "").split(".").map(Number);

/** Talos does not know a document, or a field of one. */
export const notKnownToIt = (said: string) => /not registered|unknown keys found during decoding/.test(said);
