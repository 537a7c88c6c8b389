// The simulated home: one process that holds the world and serves it over the protocols that the product uses. It is not reachable from outside this machine.
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UsageError } from "../../scripts/lib/run/errors.ts";
import { environmentOf, type HomeFile, layoutOf, PROJECT } from "./environment.ts";
import { leasesOf, makeFork, vaultsOf, writeTools } from "./fork/fork.ts";
import { findTool } from "./cli/tools.ts";
import { copyHome } from "./home/copies.ts";
import { keepPair, refuseSecond, socketFolder } from "./home/home-folder.ts";
import { endProcesses } from "./processes.ts";
import { startTicker } from "./home/ticker.ts";
import { homeTool, openVerbs, switchFaults } from "./verbs.ts";
import { serveTools } from "./wire/cli-socket.ts";
import { createAuthority, fingerprint } from "./world/certificates.ts";
import { openFactory } from "./wire/factory/factory.ts";
import { publicHosts, serveProxy } from "./wire/proxy.ts";
import { REGISTRIES } from "./wire/registry/registries.ts";
import { openRegistries } from "./wire/registry/registry.ts";
import { doorAt } from "./wire/talos/door.ts";
import { serveTrueNas } from "./wire/truenas/truenas.ts";
import { serveVsphere, type VsphereOptions } from "./wire/vsphere/vsphere.ts";
import { freshCluster, normalised as normalisedCluster, pending as clusterPending, tick as tickCluster } from "./world/cluster/cluster.ts";
import { freshFactory, hasInstaller } from "./world/talos/factory.ts";
import type { RealTools } from "./real/real-tools.ts";
import type { Fault } from "./world/faults.ts";
import { tickMachines } from "./world/life.ts";
import { freshNas } from "./world/nas/nas.ts";
import { haltMachine, nasPending, normalisedNas, RELEASES, vmsOf } from "./world/nas/machines.ts";
import { correctNasHost } from "./world/person.ts";
import { freshVault } from "./world/op/vault.ts";
import { openWorld, type World } from "./world/world.ts";

export interface HomeOptions {
  /** Version of the NAS: 25.04.2, 25.10, 26. */
  truenas?: string;
  /** Faults that are on from the start, and how often each strikes. */
  faults?: Partial<Record<Fault, number>>;
  /** The checkout whose scripts and files are used. */
  project?: string;
  /** Also a standalone ESXi or a vCenter, of this real vcsim. */
  vsphere?: { kind: VsphereOptions["kind"]; vcsim: string };
  /** Called once if the simulation itself fails, for example on an unsupported manifest; throws by default. */
  broken?(error: Error): void;
  /** The real command-line tools by name, and the servers that they need. Without them, stand-ins are used. */
  real?: RealTools;
}

export interface Home {
  folder: string;
  world: World;
  socket: string;
  nas: { port: number };
  proxy: { port: number };
  /** The environment of a product process in this home. */
  environment(extra?: Record<string, string>): Record<string, string>;
  /** One of the verbs of verbs.ts. */
  ask(verb: string, args?: object): Promise<any>;
  /** Ends servers and ticker; the folder and the world in it stay. */
  close(): Promise<void>;
  /** Ends it and removes the folder. */
  remove(): Promise<void>;
}

const TALOS_PORT = 50_000;

const rethrow = (error: Error) => {
  throw error;
};

/** Opens a home in a folder, which is created if necessary. A home that was closed, copied or killed continues where it was. */
export async function openHome(
  folder: string,
  { truenas = "25.10", faults = {}, project = PROJECT, vsphere, real: tools, broken = rethrow }: HomeOptions = {},
): Promise<Home> {
  folder = resolve(folder);
  const { file, pki } = layoutOf(folder);
  refuseSecond(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  makeFork(folder, project);
  const vaults = vaultsOf(folder);
  const version = RELEASES[truenas];
  if (!version) throw new Error(`the simulated NAS knows ${Object.keys(RELEASES).join(", ")}; not ${truenas}`);
  const world = openWorld(folder, () => ({
    nas: freshNas({ version }),
    machines: {},
    cluster: freshCluster(),
    vault: freshVault(vaults),
    factory: freshFactory(),
    faults: {},
  }));
  if (Object.keys(faults).length > 0) switchFaults(world, faults as Record<string, number>);

  const authority = keepPair(join(pki, "ca"), () => createAuthority({ subject: { commonName: "simulated home" }, days: 30 }));
  const nasPair = keepPair(join(pki, "nas"), () =>
    createAuthority({ subject: { commonName: "truenas.home" }, days: 30, hosts: ["127.0.0.1", "localhost"], use: ["server"] }),
  );
  const esx = vsphere && (await serveVsphere({ tools: vsphere, folder: join(folder, "vsphere"), kind: vsphere.kind }));
  const nas = await serveTrueNas(world, { key: nasPair.key, cert: nasPair.cert, version });
  correctNasHost(world, `127.0.0.1:${nas.port}`);
  const down = (host: string) =>
    (host === "factory.talos.dev" && world.has("factory-down")) || (host in REGISTRIES && world.has("registry-down"));
  const real = tools && (await (await import("./real/real.ts")).openReal(world, tools));
  const proxy = await serveProxy(world, {
    authority,
    hosts: { ...publicHosts(), ...openRegistries(world), ...openFactory(world) },
    down,
    tunnel: real?.tunnel ?? ((host, port) => (isIPv4(host) && port === TALOS_PORT ? (doorAt(world, host) ?? "away") : undefined)),
  });

  const socket = join(mkdtempSync(join(socketFolder(), "home-")), "s");
  const card = () => ({ host: `127.0.0.1:${nas.port}`, ...world.state.nas.card, fingerprint: fingerprint(nasPair.cert) });
  const ask = openVerbs(world, {
    project,
    vaults,
    nas: card,
    busy: () => standIns.busy(),
    pending: () => nasPending(world.state.nas, world.now()) || clusterPending(world) || (real?.pending() ?? false),
    quiesce: () => Promise.resolve(real?.quiesce()),
    resume: () => Promise.resolve(real?.resume()),
    normalised: () => ({ nas: normalisedNas(world.state.nas), cluster: normalisedCluster(world) }),
  });
  const standIns = await serveTools({ socket, world, find: (name) => findTool(name, homeTool(ask)) });
  writeTools(folder, standIns.door, tools?.commands);

  const lease = leasesOf(folder);
  const around = {
    vms: () => vmsOf(world.state.nas),
    lease,
    hasInstaller: (medium: Parameters<typeof hasInstaller>[1]) => hasInstaller(world.state, medium),
    halt: (mac: string) => haltMachine(world, mac),
  };
  const ticker = startTicker(
    () => {
      const machines = tickMachines(world, around);
      if (!real) return Math.min(machines, tickCluster(world));
      real.pending(); // throws when a server has ended
      return machines;
    },
    { now: () => world.now(), broken },
  );
  world.onChange = ticker.wake;

  const facts: HomeFile = {
    pid: process.pid,
    socket,
    nas: { port: nas.port },
    proxy: { port: proxy.port },
    project,
    truenas,
    ...(esx && { vsphere: esx.environment }),
    real: real !== undefined,
  };
  writeFileSync(`${file}.draft`, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.draft`, file);

  const close = async () => {
    ticker.stop();
    rmSync(file, { force: true });
    await Promise.all([standIns.close(), proxy.close(), nas.close(), esx?.close(), real?.close()]);
    rmSync(dirname(socket), { recursive: true, force: true });
  };
  return {
    folder,
    world,
    socket,
    nas: { port: nas.port },
    proxy: { port: proxy.port },
    environment: (extra) => environmentOf(folder, extra),
    ask: (verb, args = {}) => ask(verb, args),
    close,
    async remove() {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runAsProcess().catch((error: Error) => {
    process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
    process.exit(1);
  });

/**
 * `home.ts <folder> [--truenas 25.10] [--fault name[=times]]… [--real]`: runs until SIGTERM.
 * With `--with-parent`, standard input is a pipe that the parent holds: when it ends, for whatever reason, the home ends, with every process in it,
 * and removes its folder unless `--keep` is given. `--copy-of` starts from a copy of another home's folder.
 */
async function runAsProcess(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      truenas: { type: "string" },
      fault: { type: "string", multiple: true },
      project: { type: "string" },
      "with-parent": { type: "boolean" },
      keep: { type: "boolean" },
      "copy-of": { type: "string" },
      real: { type: "boolean" },
    },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error("which folder? home.ts <folder> [--truenas 25.10] [--fault name[=times]] [--with-parent]");
  const parent = values["with-parent"] ? pipeEnds() : new Promise<never>(() => {});
  const faults = Object.fromEntries((values.fault ?? []).map((fault) => [fault.split("=")[0]!, Number(fault.split("=")[1] ?? 1)]));
  if (values["copy-of"] !== undefined) copyHome(values["copy-of"], folder);
  const home = await openHome(folder, {
    faults,
    broken(error) {
      process.stderr.write(`the simulated home broke: ${error.stack}\n`);
      end(1);
    },
    ...(values.truenas && { truenas: values.truenas }),
    ...(values.project && { project: values.project }),
    ...(values.real && { real: (await import("./real/real-tools.ts")).realTools() }),
  });
  const leave = async () => {
    if (values["with-parent"]) await endProcesses(home.folder);
    await (values["with-parent"] && !values.keep ? home.remove() : home.close());
  };
  let leaving: Promise<void> | undefined;
  const end = (code: number) => void (leaving ??= leave()).finally(() => process.exit(code));
  process.stdout.on("error", () => {}); // the parent has ended, and its end of the pipe is closed
  process.stdout.write(`home is up: ${home.folder}\n`);
  process.once("SIGTERM", () => end(0));
  process.once("SIGINT", () => end(0));
  void parent.then(() => end(0));
}

/** Resolves when standard input ends. This also notices a parent that died earlier. */
function pipeEnds(): Promise<void> {
  return new Promise(
    (resolve) =>
      void process.stdin
        .once("close", resolve)
        .once("error", () => {})
        .resume(),
  );
}
