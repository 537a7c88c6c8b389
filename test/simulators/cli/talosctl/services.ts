// talosctl service, list, time.
import { Untaught } from "../../world/tool.ts";
import { columns } from "../table.ts";
import { fanOut, reach, type TalosCall, TalosError } from "./client.ts";
import { servicesOf } from "../../world/talos/status.ts";

export async function serviceCommand(talos: TalosCall): Promise<void> {
  const { world, call, rest } = talos;
  const [id, action = "status", ...more] = rest;
  if (action !== "status" || more.length > 0) throw new Untaught();
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error listing services: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  const all = answered.flatMap(({ node, machine }) => servicesOf(world, machine).map((service) => ({ node, ...service })));
  if (id === undefined) {
    call.out(
      columns([
        ["NODE", "SERVICE", "STATE", "HEALTH", "LAST CHANGE", "LAST EVENT"],
        ...all.map(({ node, id, state, healthy, event }) => [node, id, state, healthy ? "OK" : "?", "10s ago", event]),
      ]),
    );
    return;
  }
  const found = all.filter((service) => service.id === id);
  if (found.length === 0) throw new TalosError(`service ${JSON.stringify(id)} is not registered on any nodes`);
  call.out(
    columns(
      found.flatMap(({ node, id, state, healthy, event }) => [
        ["NODE", node],
        ["ID", id],
        ["STATE", state],
        ["HEALTH", healthy ? "OK" : "?"],
        ["EVENTS", `[${state}]: ${event} (10s ago)`],
      ]),
    ),
  );
}

/** Only the directory that tells whether etcd ever ran. */
export async function listCommand(talos: TalosCall): Promise<void> {
  const { call, rest } = talos;
  if (rest.length !== 1 || rest[0] !== "/var/lib/etcd") throw new Untaught();
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error fetching logs: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  call.out(
    columns([
      ["NODE", "NAME"],
      ...answered.flatMap(({ node, machine }) => [".", ...(machine.etcd ? ["member"] : [])].map((name) => [node, name])),
    ]),
  );
}

/** The node's own clock; the home's nodes have the right time once they are in sync. */
export async function timeCommand(talos: TalosCall): Promise<void> {
  const { world, call } = talos;
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error fetching time: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  const stamp = (ms: number) => new Date(ms).toISOString().replace("T", " ").replace("Z", " +0000 UTC");
  call.out(
    columns([
      ["NODE", "NTP-SERVER", "NODE-TIME", "NTP-SERVER-TIME"],
      ...answered.map(({ node }) => [node, "192.168.120.1", stamp(world.now()), stamp(world.now())]),
    ]),
  );
}
