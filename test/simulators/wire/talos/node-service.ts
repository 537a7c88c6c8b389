// MachineService: what a node is, its config, its files and its services.
import { createGzip } from "node:zlib";
import { adminKubeconfig } from "../../world/cluster/admin-kubeconfig.ts";
import { hostnameOf } from "../../world/talos/machines.ts";
import { applyConfig, bootstrap, type Mode } from "../../world/talos/api.ts";
import { consoleOf, fileOf, filesBelow, LOGS } from "../../world/talos/files.ts";
import { servicesOf } from "../../world/talos/status.ts";
import { talosOf } from "../../world/talos/version.ts";
import type { Stream, Unary } from "./routing.ts";
import { isRefused } from "./status.ts";

const version: Unary = ({ machine }) => ({
  version: { tag: talosOf(machine), sha: "simulated", built: "", go_version: "go1.26.2", os: "linux", arch: "amd64" },
  platform: { name: (machine.installed ?? machine.iso)?.platform ?? "metal", mode: "metal" },
  ...(machine.stage === "running" && { features: { rbac: true } }),
});

const applyConfiguration: Unary = ({ world, machine, request }) => {
  const { data, mode, dry_run, try_mode_timeout } = request;
  const seconds = Number(try_mode_timeout?.seconds ?? 0);
  const applied = applyConfig(world, machine, Buffer.from(data).toString(), mode.toLowerCase().replace("_", "-") as Mode, dry_run, {
    ...(seconds > 0 && { trialMs: seconds * 1000 }),
  });
  return isRefused(applied) ? applied : { mode, mode_details: applied.details };
};

const kubeconfig: Stream = async ({ world, machine }, send) => {
  const given = adminKubeconfig(world, machine);
  if (isRefused(given)) return given;
  send({ bytes: await tarOf("kubeconfig", given.text) });
  return undefined;
};

const serviceList: Unary = ({ world, machine }) => {
  const ts = { seconds: String(Math.floor(world.now() / 1000) - 10), nanos: 0 };
  return {
    services: servicesOf(world, machine).map(({ id, state, healthy, event }) => ({
      id,
      state,
      health: { unknown: !healthy, healthy, last_message: "", last_change: ts },
      events: { events: [{ msg: event, state, ts }] },
    })),
  };
};

/** Services of the home are what the world makes of them: no call starts or stops one. */
const serviceCall: Unary = ({ world, machine, request: { id } }) =>
  servicesOf(world, machine).some((service) => service.id === id)
    ? { code: "Unimplemented", description: `the simulated home does not start or stop ${id}` }
    : { code: "NotFound", description: `service ${JSON.stringify(id)} is not registered` };

const read: Stream = ({ machine, request: { path } }, send) => {
  const text = fileOf(machine, path);
  if (text === undefined) return { code: "NotFound", description: `stat ${path}: no such file or directory` };
  send({ bytes: Buffer.from(text) });
  return undefined;
};

const DIRECTORY = 0x80000000 + 0o700;

const list: Stream = ({ world, machine, request: { root } }, send) => {
  const below = filesBelow(machine, root.replace(/(.)\/$/, "$1"));
  if (!below) return { code: "Unknown", description: `lstat ${root}: no such file or directory` };
  for (const name of [".", ...below]) {
    const full = name === "." ? root : `${root}/${name}`;
    send({
      name: full,
      relative_name: name,
      mode: DIRECTORY,
      is_dir: true,
      modified: String(Math.floor(world.now() / 1000)),
      size: "4096",
    });
  }
  return undefined;
};

const dmesg: Stream = ({ machine }, send) => {
  for (const line of consoleOf(machine)) send({ bytes: Buffer.from(`${line}\n`) });
};

const logs: Stream = ({ world, machine, request: { id } }, send) => {
  const service = servicesOf(world, machine).find((service) => service.id === id);
  if (!service) return { code: "Unknown", description: `log ${JSON.stringify(id)} was not registered` };
  for (const line of LOGS(service)) send({ bytes: Buffer.from(`${line}\n`) });
  return undefined;
};

const events: Stream = ({ machine: { mac }, events, request: { tail_events: tail, with_actor_id: actor } }, send, over) => {
  send({}); // tells the client that the stream stands
  const wanted = (all: ReturnType<typeof events.past>) => all.filter(({ actor_id }) => !actor || actor_id === actor);
  const past = wanted(events.past(mac));
  for (const event of tail < 0 ? past : tail > 0 ? past.slice(-tail) : []) send(event);
  const stop = events.follow(mac, (event) => wanted([event]).forEach(send));
  return new Promise((resolve) => {
    const end = () => (stop(), resolve());
    if (over.aborted) end();
    else over.addEventListener("abort", end, { once: true });
  });
};

export const NODE: { unary: Record<string, Unary>; streams: Record<string, Stream> } = {
  unary: {
    Version: version,
    Hostname: ({ machine }) => ({ hostname: hostnameOf(machine) }),
    ApplyConfiguration: applyConfiguration,
    Bootstrap: ({ world, machine }) => bootstrap(world, machine) ?? {},
    ServiceList: serviceList,
    ServiceStart: serviceCall,
    ServiceStop: serviceCall,
    ServiceRestart: serviceCall,
  },
  streams: { Kubeconfig: kubeconfig, Read: read, List: list, Dmesg: dmesg, Logs: logs, Events: events },
};

/** A .tar.gz with one file, as files of a node are sent. */
async function tarOf(name: string, text: string): Promise<Buffer> {
  const data = Buffer.from(text);
  const head = Buffer.alloc(512);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  const put = (at: number, field: string) => void head.write(field, at);
  put(0, name);
  put(100, octal(0o600, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(data.length, 12));
  put(136, octal(0, 12));
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\0");
  put(263, "00");
  put(
    148,
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
  );
  const zip = createGzip();
  zip.end(Buffer.concat([head, data, Buffer.alloc(((512 - (data.length % 512)) % 512) + 1024)]));
  const parts: Buffer[] = [];
  for await (const part of zip) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
