// A NAS in memory behind the product's own `Nas`: it keeps what it is told and writes down every change, in order.
import { effect } from "../../../scripts/lib/run/effects.ts";
import type { Nas } from "../../../scripts/lib/truenas/nas.ts";
import type { Vm } from "../../../scripts/lib/truenas/queries.ts";
import { NasRefused, UnknownOutcome } from "../../../scripts/lib/truenas/refusal.ts";

export interface FakeNas extends Nas {
  /** Changes, as they would stand in the report: `vm.create k8s_0`. */
  acts: string[];
  /** Parameters of each change. */
  sent: [method: string, params: readonly unknown[]][];
  world: FakeWorld;
  /** What the next changes of a kind do, by the start of their line: refuse, lose the reply before or after it took place, or say yes and do nothing. */
  upset: Record<string, (NasRefused | "lost before" | "lost after" | "lies")[]>;
}

export interface FakeWorld {
  pool: { name: string; guid: string; status: string; healthy: boolean };
  datasets: Record<string, { type: string; volsize?: number; available?: number; usedbydataset?: number }>;
  vms: Vm[];
  bridges: unknown;
  memory: number;
  files: Record<string, { size: number; mtime: number; text?: string }>;
  isoSource: string;
}

const TB = 1000 ** 4;

export const HOME = "pool flashstor 1234567890";

/** A NAS as the reference home has it, with nothing on it. */
export function fakeNas(change: Partial<FakeWorld> = {}): FakeNas {
  const world: FakeWorld = {
    pool: { name: "flashstor", guid: "1234567890", status: "ONLINE", healthy: true },
    datasets: { "flashstor/VM": { type: "FILESYSTEM", available: 10 * TB } },
    vms: [],
    bridges: { br0: "br0", ens1: "ens1" },
    memory: 200 * 1024 ** 3,
    files: {},
    isoSource: "flashstor/ISO",
    ...change,
  };
  const acts: string[] = [];
  const sent: [string, readonly unknown[]][] = [];
  let next = 1;
  let clock = 1000;

  const reads: Record<string, (params: readonly unknown[]) => unknown> = {
    "pool.query": (params) => [world.pool].filter(({ name }) => name === filterOf(params, "name")),
    "pool.dataset.query": (params) =>
      (filterOf(params, "id") as string[]).flatMap((id) =>
        world.datasets[id]
          ? [
              {
                id,
                ...Object.fromEntries(
                  Object.entries(world.datasets[id]).map(([key, value]) => [key, typeof value === "number" ? { parsed: value } : value]),
                ),
              },
            ]
          : [],
      ),
    "vm.query": (params) => structuredClone(world.vms.filter(({ name }) => [undefined, name].includes(filterOf(params, "name") as string))),
    "vm.status": ([id]) => ({ state: world.vms.find((vm) => vm.id === id)!.status.state }),
    "vm.device.nic_attach_choices": () => world.bridges,
    "vm.get_available_memory": () => world.memory,
    "filesystem.stat": ([path]) =>
      world.files[path as string]
        ? { type: "FILE", ...world.files[path as string] }
        : refuse("filesystem.stat", `[ENOENT] Path ${String(path)} not found`, 2),
    "filesystem.statfs": () => ({ source: world.isoSource, avail_bytes: TB }),
  };
  const changes: Record<string, (params: readonly unknown[]) => unknown> = {
    "pool.dataset.create": ([data]) => {
      const { name, volsize } = data as { name: string; volsize: number };
      if (world.datasets[name])
        return refuse("pool.dataset.create", `[EFAULT] Failed to create dataset: cannot create '${name}': dataset already exists`, 14);
      world.datasets[name] = { type: "VOLUME", volsize, usedbydataset: 57_344 };
    },
    "pool.dataset.delete": ([id]) => void delete world.datasets[id as string],
    "vm.create": ([data]) => {
      const spec = data as Vm;
      if (world.vms.some(({ name }) => name === spec.name)) return refuse("vm.create", "This name already exists.", 17);
      world.vms.push({ ...spec, id: next++, devices: [], status: { state: "STOPPED" } });
    },
    "vm.delete": ([id]) => void (world.vms = world.vms.filter((vm) => vm.id !== id)),
    "vm.device.create": ([data]) => {
      const { vm, ...device } = data as { vm: number; order: number; attributes: { dtype: string } };
      world.vms
        .find(({ id }) => id === vm)!
        .devices.push({
          id: next++,
          ...device,
          attributes: { ...device.attributes, ...(device.attributes.dtype === "DISK" && { serial: "abcdefgh" }) },
        } as never);
    },
    "vm.start": ([id]) => void (world.vms.find((vm) => vm.id === id)!.status.state = "RUNNING"),
  };
  const upset: FakeNas["upset"] = {};
  const nas: FakeNas = {
    api: "v25.10.5",
    roles: new Set(["FULL_ADMIN"]),
    acts,
    sent,
    world,
    upset,
    async ask(method, params = []) {
      const answer = reads[method];
      if (!answer) throw new Error(`the fake NAS was not taught ${method}`);
      return answer(params) as never;
    },
    act: (method, params, { what }) =>
      effect("nas", `${method} ${what}`, async () => {
        acts.push(`${method} ${what}`);
        sent.push([method, params]);
        const key = Object.keys(upset).find((start) => `${method} ${what}`.startsWith(start));
        const how = key === undefined ? undefined : upset[key]!.shift();
        if (how instanceof NasRefused) throw how;
        if (how === "lost before") throw new UnknownOutcome("the reply was lost");
        if (how !== "lies") changes[method]!(params);
        if (how === "lost after") throw new UnknownOutcome("the reply was lost");
        return null as never;
      }),
    upload: ({ path, size, bytes, what }) =>
      effect("nas", `filesystem.put ${what}`, async () => {
        acts.push(`filesystem.put ${what}`);
        const parts: Uint8Array[] = [];
        for await (const part of bytes) parts.push(part);
        const all = Buffer.concat(parts);
        world.files[path] = { size: all.length, mtime: clock++, text: all.toString() };
        if (all.length !== size) throw new Error(`promised ${size} bytes, sent ${all.length}`);
      }),
    withSignal: () => nas,
    close: async () => {},
  };
  return nas;
}

const filterOf = ([filters]: readonly unknown[], field: string) =>
  (filters as [string, string, unknown][]).find(([name]) => name === field)?.[2];

/** A refusal as TrueNAS words it. */
export function refusal(method: string, reason: string, errno = 14): NasRefused {
  return new NasRefused(method, { code: -32001, message: "Method call error", data: { error: errno, reason, extra: null } });
}

function refuse(method: string, reason: string, errno: number): never {
  throw refusal(method, reason, errno);
}
