// talosctl read, dmesg, logs, health.
import { addressesOf, configOf } from "../../world/talos/machines.ts";
import { consoleOf, fileOf, LOGS } from "../../world/talos/files.ts";
import { discovered, healthOf, healthRefused } from "../../world/talos/health.ts";
import { servicesOf } from "../../world/talos/status.ts";
import { Untaught } from "../../world/tool.ts";
import { milliseconds, moment } from "../kubectl/client.ts";
import { fanOut, onlyOne, reach, type TalosCall, TalosError } from "./client.ts";
import { wordsOf } from "../../world/talos/grpc-status.ts";

export async function readCommand(talos: TalosCall): Promise<void> {
  const { call, rest } = talos;
  const [path, ...more] = rest;
  if (path === undefined || more.length > 0) throw new Untaught();
  const target = onlyOne(await reach(talos), "read");
  if ("error" in target) throw new TalosError(`error reading: ${target.error}`);
  const text = fileOf(target.machine, path);
  if (text === undefined) throw new TalosError(`error reading: rpc error: code = NotFound desc = stat ${path}: no such file or directory`);
  call.out(text);
}

export async function dmesgCommand(talos: TalosCall): Promise<void> {
  const { call } = talos;
  const { answered, error } = fanOut(await reach(talos), false);
  for (const { node, machine } of answered) for (const line of consoleOf(machine)) call.out(`${node}: ${line}\n`);
  if (error !== undefined) throw new TalosError(error);
}

export async function logsCommand(talos: TalosCall): Promise<number> {
  const { world, call, rest } = talos;
  const [id, ...more] = rest;
  if (id === undefined || more.length > 0) throw new Untaught();
  let code = 0;
  for (const target of await reach(talos)) {
    const service = "machine" in target ? servicesOf(world, target.machine).find((service) => service.id === id) : undefined;
    if (service) for (const line of LOGS(service)) call.out(`${target.node}: ${line}\n`);
    else {
      code = 1;
      const unknown = `rpc error: code = Unknown desc = log ${JSON.stringify(id)} was not registered`;
      call.err(`ERROR: ${"error" in target ? target.error : unknown}\n`);
    }
  }
  return code;
}

/** A control plane answers, and reports each check as it passes. */
export async function healthCommand(talos: TalosCall): Promise<void> {
  const { world, call, words } = talos;
  const target = onlyOne(await reach(talos), "health");
  if ("error" in target) throw new TalosError(target.error);
  const { machine } = target;
  const refused = healthRefused(machine);
  if (refused) throw new TalosError(wordsOf(refused));
  const of = (type: string) =>
    discovered(world, machine)
      .filter((node) => configOf(node)?.type === type)
      .map((node) => addressesOf(node)[0]);
  call.err(`discovered nodes: [${JSON.stringify(of("controlplane"))} ${JSON.stringify(of("worker"))}]\n`);
  const until = world.now() + milliseconds(words.text("wait-timeout") ?? "20m");
  for (const { name } of healthOf(world, machine)) {
    call.err(`waiting for ${name}: ...\n`);
    for (let said: string | undefined; ; await moment()) {
      const wrong = healthOf(world, machine).find((check) => check.name === name)?.wrong;
      if (wrong === undefined) break;
      if (wrong !== said) call.err(`waiting for ${name}: ${wrong}\n`);
      said = wrong;
      if (world.now() > until)
        throw new TalosError("healthcheck error: rpc error: code = DeadlineExceeded desc = context deadline exceeded");
    }
    call.err(`waiting for ${name}: OK\n`);
  }
}
