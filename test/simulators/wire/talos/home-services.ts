// The small services beside MachineService: the cluster's health, disks, the clock.
import { setTimeout as pause } from "node:timers/promises";
import { addressesOf, configOf } from "../../world/talos/machines.ts";
import { discovered, healthOf, healthRefused } from "../../world/talos/health.ts";
import type { Stream, Unary } from "./routing.ts";

const LOOK_MS = 100;

/** Tells each check as it begins and as it is met, waits for what is not, and gives up when the client said to. */
const healthCheck: Stream = async ({ world, machine, request }, send, over) => {
  const refused = healthRefused(machine);
  if (refused) return refused;
  const tell = (message: string) => send({ message });
  const of = (type: string) =>
    discovered(world, machine)
      .filter((node) => configOf(node)?.type === type)
      .map((node) => addressesOf(node)[0]);
  tell(`discovered nodes: [${JSON.stringify(of("controlplane"))} ${JSON.stringify(of("worker"))}]`);
  const until = world.now() + Number(request.wait_timeout?.seconds ?? 300) * 1000;
  for (const { name } of healthOf(world, machine)) {
    tell(`waiting for ${name}: ...`);
    for (let said: string | undefined; ; await pause(LOOK_MS)) {
      const wrong = healthOf(world, machine).find((check) => check.name === name)?.wrong;
      if (wrong === undefined) break;
      if (wrong !== said) tell(`waiting for ${name}: ${wrong}`);
      said = wrong;
      if (over.aborted) return undefined;
      if (world.now() > until) return { code: "DeadlineExceeded", description: "context deadline exceeded" };
    }
    tell(`waiting for ${name}: OK`);
  }
  return undefined;
};

export const HEALTH: Record<string, Stream> = { HealthCheck: healthCheck };

const disks: Unary = ({ machine }) => ({
  disks: machine.disks.map(({ device, bytes, path, id }) => ({
    size: String(bytes),
    device_name: device,
    serial: path.split("/").at(-1),
    type: "HDD",
    system_disk: machine.installed?.disk === id,
    subsystem: "/sys/class/block",
  })),
});

export const STORAGE: Record<string, Unary> = { Disks: disks };

const time: Unary = ({ world, request }) => {
  const now = { seconds: String(Math.floor(world.now() / 1000)), nanos: (world.now() % 1000) * 1e6 };
  return { server: request?.server || "192.168.120.1", localtime: now, remotetime: now };
};

export const TIME: Record<string, Unary> = { Time: time, TimeCheck: time };
