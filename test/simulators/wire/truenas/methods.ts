// The methods that the simulated TrueNAS was taught. Each only translates: parameters to a verb of the world, its decision to an answer.
import { AUTH } from "./methods-auth.ts";
import { CORE } from "./methods-core.ts";
import { STORAGE } from "./methods-storage.ts";
import { VM } from "./methods-vm.ts";
import type { Run } from "./call.ts";

export const METHODS: Record<string, Run> = { ...CORE, ...AUTH, ...STORAGE, ...VM };

/** Those that change something on the NAS. */
export const CHANGES: ReadonlySet<string> = new Set([
  "pool.dataset.create",
  "pool.dataset.delete",
  "filesystem.mkdir",
  "vm.create",
  "vm.update",
  "vm.delete",
  "vm.start",
  "vm.stop",
  "vm.poweroff",
  "vm.device.create",
  "vm.device.update",
  "vm.device.delete",
]);
