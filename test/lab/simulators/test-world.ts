// A world in memory with a clock that the test moves, and a stand-in's call without a process.
import { freshFactory } from "../../simulators/world/talos/factory.ts";
import type { Fault } from "../../simulators/world/faults.ts";
import { type Surroundings, tickMachines, type VmView } from "../../simulators/world/life.ts";
import { hasInstaller } from "../../simulators/world/talos/factory.ts";
import type { Tool } from "../../simulators/world/tool.ts";
import { Untaught } from "../../simulators/world/tool.ts";
import { freshVault } from "../../simulators/world/op/vault.ts";
import type { State, World } from "../../simulators/world/world.ts";

export interface TestWorld extends World {
  /** Lets time pass and everything that is due come to pass. */
  pass(ms: number): void;
  vms: VmView[];
  /** What was changed, in order: `product: op item create talos`. */
  changes: string[];
}

export function testWorld(faults: Partial<Record<Fault, number>> = {}, begins = Date.parse("2026-06-01T12:00:00Z")): TestWorld {
  const state: State = {
    nas: {} as State["nas"],
    machines: {},
    cluster: {} as State["cluster"],
    vault: freshVault(),
    factory: freshFactory(),
    faults,
  };
  let now = begins;
  let usedUp = 0;
  const world: TestWorld = {
    folder: "/nowhere",
    state,
    vms: [],
    changes: [],
    get revision() {
      return world.changes.length + usedUp;
    },
    now: () => now,
    change(by, what, apply) {
      world.changes.push(`${by}: ${what}`);
      return apply(state);
    },
    has: (fault) => (state.faults[fault] ?? 0) > 0,
    strikes(fault) {
      if (!world.has(fault)) return false;
      usedUp += 1;
      state.faults[fault] = (state.faults[fault] ?? 1) - 1;
      return true;
    },
    pass(ms) {
      for (const end = now + ms; now < end; now += 10) tickMachines(world, around);
    },
  };
  const around: Surroundings = {
    vms: () => world.vms,
    lease: (mac) => `192.168.122.${Number.parseInt(mac.slice(-2), 16)}`,
    hasInstaller: (medium) => hasInstaller(state, medium),
    halt: (mac) => void (world.vms = world.vms.map((vm) => (vm.mac === mac ? { ...vm, running: false } : vm))),
  };
  return world;
}

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs a stand-in in this process. `files` are what its `read` finds; what it writes is put there. */
export async function play(
  tool: Tool,
  world: World,
  argv: string[],
  {
    stdin = "",
    files = {},
    env = { HOME: "/home/op" },
  }: { stdin?: string; files?: Record<string, string>; env?: Record<string, string> } = {},
): Promise<Said> {
  const said: Said = { code: -1, out: "", err: "" };
  const missing = (path: string) =>
    Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT", syscall: "open", path });
  try {
    said.code = await tool(world, {
      argv,
      env,
      cwd: "/work",
      read: async (path) => (path === "/dev/stdin" ? stdin : (files[path] ?? Promise.reject(missing(path)))),
      stdin: async () => stdin,
      write: async (path, content) => void (files[path] = content.toString("latin1" as never)),
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
    });
  } catch (error) {
    if (!(error instanceof Untaught)) throw error;
    return { code: 70, out: said.out, err: error.message };
  }
  return said;
}
