// A world on disk whose machines live by the clock, its nodes served at the wire, and a proxy through which a real talosctl reaches their addresses.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { talosctl } from "../../../simulators/cli/talosctl/talosctl.ts";
import { issue } from "../../../simulators/world/certificates.ts";
import { serveTalos } from "../../../simulators/wire/talos/serve.ts";
import { freshCluster, tick } from "../../../simulators/world/cluster/cluster.ts";
import { freshFactory, hasInstaller } from "../../../simulators/world/talos/factory.ts";
import type { Fault } from "../../../simulators/world/faults.ts";
import { tickMachines, type VmView } from "../../../simulators/world/life.ts";
import { machineStatus } from "../../../simulators/world/talos/status.ts";
import { freshVault } from "../../../simulators/world/op/vault.ts";
import { openWorld, type State, type World } from "../../../simulators/world/world.ts";
import { play, type Said, testWorld } from "../test-world.ts";
import { serveConnect } from "./connect-proxy.ts";
import type { ReleaseState } from "../../../simulators/world/cluster/state.ts";
import type { MachineState } from "../../../simulators/world/talos/machine-state.ts";
import { whenPresent } from "../../../simulators/present.ts";

export const EMPTY = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
export const [A, B, C] = ["192.168.122.10", "192.168.122.11", "192.168.122.12"];

export interface Live {
  world: World;
  /** The machine whose lease is this address. */
  machine(address: string): MachineState;
  /** Switches a VM of the hypervisor off or on. */
  power(vm: string, running: boolean): void;
  fault(name: Fault, times?: number): void;
  /** The environment in which a real talosctl finds its way to the nodes. */
  environment: Record<string, string>;
  /** Asks the stand-in the same in the same world. */
  standIn(...argv: string[]): Promise<Said>;
  /** Waits until it is so; fails with `what` when it does not come to be. */
  until(what: string, holds: () => boolean, seconds?: number): Promise<void>;
  /** Installs so many control planes, and no more. */
  install(count: number): Promise<void>;
  /** Installs control planes, bootstraps etcd on the first, and waits until all are ready. */
  build(count?: number): Promise<void>;
  /** Waits for the API server and puts a CNI into the cluster, without which no node is ever ready. */
  network(): Promise<void>;
  /** Writes a node's config to a file and returns its path. */
  config(hostname: string, change?: object): string;
  /** The environment of a client whose certificate has this role. */
  as(role: string): Record<string, string>;
  portOf(address: string): number | undefined;
  folder: string;
  close(): Promise<void>;
}

const disk = (name: string) => ({ path: `flashstor/VM/${name}`, id: name, bytes: 500e9 });
const TICK_MS = 20;

/** A CNI, without which no node is ever ready. */
const CILIUM: ReleaseState = {
  name: "cilium",
  namespace: "kube-system",
  revision: 1,
  status: "deployed",
  chart: "cilium",
  version: "1.18.2",
  url: "oci://quay.io/cilium/charts/cilium",
  values: {},
  updated: 0,
  history: [{ revision: 1, updated: 0, status: "deployed", version: "1.18.2", description: "Install complete" }],
};

/** Opens it with three machines in maintenance. `talos` is what their ISO boots. */
export async function liveWorld({ talos = "v1.13.9" }: { talos?: string } = {}): Promise<Live> {
  const folder = mkdtempSync(join(tmpdir(), "talos-wire-"));
  const fresh = (): State => ({
    nas: {} as State["nas"],
    machines: {},
    cluster: freshCluster(),
    vault: freshVault(),
    factory: freshFactory(),
    faults: {},
  });
  const world = openWorld(join(folder, "world"), fresh);
  let vms: VmView[] = [A, B, C].map((_, index) => ({
    name: `k8s_${index}`,
    running: true,
    mac: `00:a0:98:00:00:0${index}`,
    bus: "vd",
    disks: [disk(`boot-${index}`), disk(`data-${index}`)],
    iso: { talos, schematic: EMPTY, platform: "metal" },
  }));
  const power = (name: string, running: boolean) => void (vms = vms.map((vm) => (vm.name === name ? { ...vm, running } : vm)));
  const around = {
    vms: () => vms,
    lease: (mac: string) => `192.168.122.${10 + Number(mac.slice(-1))}`,
    hasInstaller: (medium: Parameters<typeof hasInstaller>[1]) => hasInstaller(world.state, medium),
    halt: (mac: string) => power(vms.find((vm) => vm.mac === mac)!.name, false),
  };
  const ticker = setInterval(() => (tickMachines(world, around), tick(world)), TICK_MS);
  const served = await serveTalos(world);
  const proxy = await serveConnect((address) => served.portOf(address));

  const secrets = await (sharedSecrets ??= generated(["gen", "secrets", "--output-file", "-"]));
  const talosconfig = await generated(
    ["gen", "config", "home", "https://192.168.120.100:6443", "--with-secrets", "/s", "--output-types", "talosconfig", "--output", "-"],
    { "/s": stringify(secrets) },
  );
  const context = { ...talosconfig.contexts.home, endpoints: [A, B, C] };
  const file = join(folder, "talosconfig");
  writeFileSync(file, stringify({ context: "home", contexts: { home: context } }));
  const environment = {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    TALOSCONFIG: file,
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    NO_PROXY: "127.0.0.1,localhost",
  };

  const live: Live = {
    world,
    folder,
    power,
    portOf: (address) => served.portOf(address),
    machine: (address) => Object.values(world.state.machines).find(({ lease }) => lease === address)!,
    fault: (name, times = 1) => world.change("world", "a fault is switched on", ({ faults }) => void (faults[name] = times)),
    environment,
    as(role) {
      const own = join(folder, `${role.replaceAll(":", "-")}.talosconfig`);
      const { cert, key } = clientOf(secrets.certs.os, role);
      const base64 = (text: string) => Buffer.from(text).toString("base64");
      const contexts = { home: { ...context, crt: base64(cert), key: base64(key) } };
      writeFileSync(own, stringify({ context: "home", contexts }));
      return { ...environment, TALOSCONFIG: own };
    },
    standIn: (...argv) => play(talosctl, world, argv, { files: filesOf(argv, file), env: { HOME: folder, TALOSCONFIG: file } }),
    async until(what, holds, seconds = 300) {
      for (const end = Date.now() + seconds * 1000; !holds(); await pause(TICK_MS))
        if (Date.now() > end) throw new Error(`it never came to be: ${what}`);
    },
    async install(count) {
      const nodes = [A, B, C].slice(0, count);
      for (const [index, node] of nodes.entries()) {
        await live.until(`${node} is in maintenance`, () => live.machine(node)?.stage === "maintenance");
        const applied = await live.standIn("apply-config", "--insecure", "-n", node, "-f", live.config(`k8s-${index}`));
        if (applied.code !== 0) throw new Error(applied.err);
      }
      await live.until("nodes run", () => nodes.every((node) => live.machine(node).stage === "running" && served.portOf(node)));
    },
    async build(count = 3) {
      const nodes = [A, B, C].slice(0, count);
      await live.install(count);
      await live.standIn("bootstrap", "-n", A);
      await live.until("all are members of etcd", () =>
        nodes.every((node) => (live.machine(node).etcd?.readyAt ?? Infinity) < world.now()),
      );
      await live.network();
      await live.until("nodes are ready", () => nodes.every((node) => machineStatus(world, live.machine(node)).status.ready));
    },
    async network() {
      await live.until("the API server begins", () => world.state.cluster.etcd !== undefined);
      world.change("world", "Cilium is there", ({ cluster }) => void (cluster.releases["kube-system/cilium"] = CILIUM));
    },
    config(hostname, change = {}) {
      const path = join(folder, `${hostname}.yaml`);
      writeFileSync(path, configOf(secrets, hostname, talos, change));
      return path;
    },
    async close() {
      clearInterval(ticker);
      await Promise.all([served.close(), proxy.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await live.until("machines are up", () => [A, B, C].every((node) => live.machine(node)?.stage === "maintenance"));
  await live.until("their API answers", () => [A, B, C].every((node) => served.portOf(node)));
  return live;
}

/** A client's certificate as Talos' CA issues it. */
function clientOf({ crt, key }: { crt: string; key: string }, role: string) {
  const pem = (text: string) => Buffer.from(text, "base64").toString().replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
  const authority = {
    key: createPrivateKey(pem(key)),
    public: new X509Certificate(pem(crt)).publicKey,
    name: { organizations: ["talos"] },
  };
  return issue(authority, { subject: { organizations: [role] }, days: 1, kind: "ed25519", use: ["client"] });
}

/** The files that a command line names, as they are on the disk. */
const filesOf = (argv: string[], ...more: string[]) =>
  Object.fromEntries(
    [...argv, ...more].flatMap((word) => {
      const text = word.startsWith("/") ? whenPresent(() => readFileSync(word, "utf8")) : undefined;
      return text === undefined ? [] : [[word, text]];
    }),
  );

/** Two worlds of one test are of the same cluster. */
let sharedSecrets: Promise<any> | undefined;

async function generated(argv: string[], files: Record<string, string> = {}): Promise<any> {
  return parse((await play(talosctl, testWorld(), argv, { files })).out);
}

function configOf({ certs, cluster }: any, hostname: string, talos: string, { machine = {}, type = "controlplane" }: any): string {
  const main = {
    version: "v1alpha1",
    machine: {
      type,
      token: "a.b",
      ca: type === "worker" ? { crt: certs.os.crt } : certs.os,
      kubelet: { image: "ghcr.io/siderolabs/kubelet:v1.36.5" },
      install: { disk: "/dev/vda", image: `factory.talos.dev/metal-installer/${EMPTY}:${talos}` },
      network: { interfaces: [{ dhcp: true, ...(type === "controlplane" && { vip: { ip: "192.168.120.100" } }) }] },
      ...machine,
    },
    cluster: {
      id: cluster.id,
      secret: cluster.secret,
      clusterName: "home",
      controlPlane: { endpoint: "https://192.168.120.100:6443" },
      ca: type === "worker" ? { crt: certs.k8s.crt } : certs.k8s,
    },
  };
  return [main, { apiVersion: "v1alpha1", kind: "HostnameConfig", hostname }].map((document) => stringify(document)).join("---\n");
}
