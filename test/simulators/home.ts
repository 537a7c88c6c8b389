// The simulated home: one process that holds the world and serves it at the wires that the product speaks to. Nothing of it is reachable from outside this machine.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { environmentOf, type HomeFile, layoutOf, PROJECT } from "./environment.ts";
import { leasesOf, makeFork, vaultOf, writeStandIns } from "./fork.ts";
import { homeTool, openVerbs, switchFaults } from "./verbs.ts";
import { serveTools } from "./wire/cli-socket.ts";
import { type Authority, createAuthority, fingerprint } from "./wire/certificates.ts";
import { openFactory } from "./wire/factory.ts";
import { publicHosts, serveProxy } from "./wire/proxy.ts";
import { freshFactory, hasInstaller } from "./world/factory.ts";
import type { Fault } from "./world/faults.ts";
import { tickMachines } from "./world/life.ts";
import { correctNasHost } from "./world/person.ts";
import type { Tool } from "./world/tool.ts";
import { freshVault } from "./world/vault.ts";
import { openWorld, type World } from "./world/world.ts";
import { neighbours } from "./neighbours.ts";

export interface HomeOptions {
  /** Version that the NAS speaks: 25.04.2, 25.10, 26. */
  truenas?: string;
  /** Faults that are on from the beginning, and how often each strikes. */
  faults?: Partial<Record<Fault, number>>;
  /** The checkout whose scripts and files are used. */
  project?: string;
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

const TICK_MS = 30;

/** Opens a home in a folder, which is made when it is not there; one that was closed, copied or killed goes on where it was. */
export async function openHome(folder: string, { truenas = "25.10", faults = {}, project = PROJECT }: HomeOptions = {}): Promise<Home> {
  folder = resolve(folder);
  const { file, pki } = layoutOf(folder);
  refuseSecond(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  makeFork(folder, project);
  const vault = vaultOf(folder);
  const { nas, cluster } = await neighbours();
  const world = openWorld(folder, () => ({
    nas: nas.fresh(),
    machines: {},
    cluster: cluster.fresh(),
    vault: freshVault(vault),
    factory: freshFactory(),
    faults: {},
  }));
  if (Object.keys(faults).length > 0) switchFaults(world, faults as Record<string, number>);

  const authority = keep(join(pki, "ca"), () => createAuthority({ subject: { commonName: "simulated home" }, days: 30 }));
  const nasPair = keep(join(pki, "nas"), () =>
    createAuthority({ subject: { commonName: "truenas.home" }, days: 30, hosts: ["127.0.0.1", "localhost"], use: ["server"] }),
  );
  const nasServer = await nas.serve(world, { key: nasPair.key, cert: nasPair.cert, version: truenas });
  correctNasHost(world, `127.0.0.1:${nasServer.port}`);
  const down = (host: string) => host === "factory.talos.dev" && world.has("factory-down");
  const proxy = await serveProxy(world, { authority, hosts: { ...publicHosts(), ...openFactory(world), ...cluster.hosts(world) }, down });

  const socket = join(mkdtempSync(join(socketFolder(), "home-")), "s");
  const card = () => ({ host: `127.0.0.1:${nasServer.port}`, ...nas.account(world), fingerprint: fingerprint(nasPair.cert) });
  const ask = openVerbs(world, {
    project,
    vault,
    nas: card,
    busy: () => tools.busy(),
    pending: () => nas.pending(world) || cluster.pending(world),
    normalised: () => ({ nas: nas.normalised(world), cluster: cluster.normalised(world) }),
  });
  const tools = await serveTools({ socket, world, find: (name) => findTool(name, homeTool(ask)) });
  writeStandIns(folder, socket);

  const lease = leasesOf(folder);
  const around = {
    vms: () => nas.vms(world),
    lease,
    hasInstaller: (medium: Parameters<typeof hasInstaller>[1]) => hasInstaller(world.state, medium),
  };
  const ticker = setInterval(() => {
    tickMachines(world, around);
    cluster.tick(world);
  }, TICK_MS);

  const facts: HomeFile = { pid: process.pid, socket, nas: { port: nasServer.port }, proxy: { port: proxy.port }, project, truenas };
  writeFileSync(`${file}.draft`, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.draft`, file);

  const close = async () => {
    clearInterval(ticker);
    rmSync(file, { force: true });
    await Promise.all([tools.close(), proxy.close(), nasServer.close()]);
    rmSync(dirname(socket), { recursive: true, force: true });
  };
  return {
    folder,
    world,
    socket,
    nas: { port: nasServer.port },
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

/** Two processes on one world would overwrite each other. */
function refuseSecond(file: string): void {
  if (!existsSync(file)) return;
  const { pid } = JSON.parse(readFileSync(file, "utf8")) as HomeFile;
  try {
    process.kill(pid, 0);
  } catch {
    return rmSync(file, { force: true }); // it was killed
  }
  throw new Error(`a home is up there already, process ${pid}: ${dirname(file)}`);
}

/** A unix socket's path may have some 100 bytes. */
const socketFolder = () => (tmpdir().length < 60 ? tmpdir() : "/tmp");

/** A key and certificate that stay the same when the home is opened anew. */
function keep(base: string, make: () => Authority): Authority {
  if (!existsSync(`${base}.json`)) {
    mkdirSync(dirname(base), { recursive: true, mode: 0o700 });
    const made = make();
    writeFileSync(`${base}.json`, JSON.stringify(made), { mode: 0o600 });
    writeFileSync(`${base}.crt`, made.cert);
    chmodSync(`${base}.crt`, 0o644);
  }
  return JSON.parse(readFileSync(`${base}.json`, "utf8")) as Authority;
}

const loaded = new Map<string, Promise<Tool | undefined>>();

/** A tool is its file in cli/, loaded when it is first called. */
function findTool(name: string, home: Tool): Promise<Tool | undefined> {
  if (name === "home") return Promise.resolve(home);
  let tool = loaded.get(name);
  if (!tool) loaded.set(name, (tool = loadTool(name)));
  return tool;
}

async function loadTool(name: string): Promise<Tool | undefined> {
  if (!existsSync(new URL(`cli/${name}.ts`, import.meta.url))) return undefined;
  const module = (await import(`./cli/${name}.ts`)) as Record<string, Tool>;
  return module[name];
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await runAsProcess();

/** `home.ts <folder> [--truenas 25.10] [--fault name[=times]]… [--with-parent]`: up until SIGTERM, or until whoever started it is gone. */
async function runAsProcess(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      truenas: { type: "string" },
      fault: { type: "string", multiple: true },
      project: { type: "string" },
      "with-parent": { type: "boolean" },
    },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error("which folder? home.ts <folder> [--truenas 25.10] [--fault name[=times]] [--with-parent]");
  const faults = Object.fromEntries((values.fault ?? []).map((fault) => [fault.split("=")[0]!, Number(fault.split("=")[1] ?? 1)]));
  const home = await openHome(folder, {
    faults,
    ...(values.truenas && { truenas: values.truenas }),
    ...(values.project && { project: values.project }),
  });
  process.stdout.on("error", () => {}); // whoever started it may be gone: nobody is left to tell
  process.stdout.write(`home is up: ${home.folder}\n`);
  const end = () => void home.close().then(() => process.exit(0));
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  const parent = process.ppid;
  if (values["with-parent"]) setInterval(() => process.ppid !== parent && end(), 300);
}
