// How often a method may be called without a login, per client address; here all come from the same one.
import type { Server } from "./server.ts";

const CALLS = 20;
const SECONDS = 60;
const calls = new WeakMap<Server, Map<string, number[]>>();

/** Counts a call without a login; true when it is one too many within the NAS's minute. */
export function isTooOften(server: Server, method: string): boolean {
  const all = calls.get(server) ?? new Map<string, number[]>();
  calls.set(server, all);
  const now = performance.now();
  const recent = [...(all.get(method) ?? []).filter((at) => at > now - SECONDS * server.knobs.second), now];
  all.set(method, recent);
  return recent.length > CALLS;
}
