// The events of each node since its boot, as `talosctl` follows a reboot by them: told from how the machines of the world change.
import { randomUUID } from "node:crypto";
import { PACE } from "../../world/talos/machines.ts";
import { machineStatus } from "../../world/talos/status.ts";
import type { World } from "../../world/world.ts";
import { pack } from "./descriptor.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

export interface Event {
  data: { type_url: string; value: Buffer };
  id: string;
  actor_id: string;
}

export interface Events {
  /** What happened since the boot, oldest first. */
  past(mac: string): Event[];
  /** Calls for each event from now on; returns how to stop. */
  follow(mac: string, tell: (event: Event) => void): () => void;
  /** Looks at the world once. */
  look(): void;
}

interface Log {
  boot: string;
  actor: string;
  /** Its services were told to stop. */
  stops: boolean;
  status: string;
  events: Event[];
}

/** Stages of a node as its events name them. */
const STAGE: Record<string, string> = { booting: "BOOTING", installing: "INSTALLING", maintenance: "MAINTENANCE", running: "RUNNING" };

export function openEvents(world: World): Events {
  const logs = new Map<string, Log>();
  const listeners = new Map<string, Set<(event: Event) => void>>();
  const emit = (mac: string, log: Log, name: string, value: object, actor = "") => {
    const event = { data: pack(name, value), id: randomUUID(), actor_id: actor };
    log.events.push(event);
    for (const tell of listeners.get(mac) ?? []) tell(event);
  };
  const look = (machine: MachineState) => {
    const { mac, bootId, leaving, due = 0 } = machine;
    let log = logs.get(mac);
    if (log?.boot !== bootId) logs.set(mac, (log = { boot: bootId, actor: "", stops: false, status: "", events: [] }));
    const { stage, status } = machineStatus(world, machine);
    const shown = JSON.stringify([stage, status]);
    if (log.status !== shown && STAGE[stage]) {
      log.status = shown;
      const unmet_conditions = status.unmetConditions;
      emit(mac, log, "machine.MachineStatusEvent", { stage: STAGE[stage], status: { ready: status.ready, unmet_conditions } });
    }
    if (leaving && log.actor !== leaving.actor) {
      log.actor = leaving.actor;
      emit(mac, log, "machine.SequenceEvent", { sequence: leaving.sequence, action: "START" }, leaving.actor);
    }
    // a client opens its stream of events and asks for the sequence at the same time: what it waits for comes later
    if (leaving && !log.stops && due - world.now() <= PACE.stop / 2) {
      log.stops = true;
      emit(mac, log, "machine.TaskEvent", { task: "stopAllServices", action: "START" }, leaving.actor);
    }
  };
  return {
    past: (mac) => logs.get(mac)?.events ?? [],
    follow(mac, tell) {
      const all = listeners.get(mac) ?? new Set();
      listeners.set(mac, all.add(tell));
      return () => void all.delete(tell);
    },
    look: () => Object.values(world.state.machines).forEach(look),
  };
}
