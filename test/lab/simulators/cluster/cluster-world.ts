// A world with two nodes whose etcd serves, the project as its repository, and a clock that runs: 20 ms of the world for each moment that a tool waits.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { knownEntries } from "../../../../scripts/lib/secrets/tree.ts";
import { testCluster } from "../../../unit/test-cluster.ts";
import { makeFork } from "../../../simulators/fork/fork.ts";
import { talosctl } from "../../../simulators/cli/talosctl/talosctl.ts";
import { freshCluster, pending, tick } from "../../../simulators/world/cluster/cluster.ts";
import { fetchByHand } from "../../../simulators/world/person.ts";
import type { Fault } from "../../../simulators/world/faults.ts";
import { type Tool, Untaught } from "../../../simulators/world/tool.ts";
import { play, type Said, type TestWorld, testWorld } from "../test-world.ts";

export const PROJECT = resolve(import.meta.dirname, "../../../..");
const SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const ADDRESSES = ["192.168.122.16", "192.168.122.17"];

/** The secrets of a cluster and its administrator's talosconfig, made at this time. */
async function identityAt(begins?: number) {
  const gen = (words: string[], files = {}) => play(talosctl, testWorld({}, begins), ["gen", ...words], { files });
  const secrets: Record<string, any> = parse((await gen(["secrets", "--output-file", "-"])).out);
  const words = ["--with-secrets", "/s", "--output-types", "talosconfig", "--output", "-"];
  const talosconfig = parse((await gen(["config", "home", "https://192.168.120.100:6443", ...words], { "/s": stringify(secrets) })).out);
  talosconfig.contexts.home.endpoints = ADDRESSES;
  return { secrets, talosconfig };
}
const usual = await identityAt();

function config({ certs, cluster }: Record<string, any>, hostname: string): string {
  const machine = {
    type: "controlplane",
    token: "a.b",
    ca: certs.os,
    kubelet: { image: "ghcr.io/siderolabs/kubelet:v1.36.5" },
    install: { disk: "/dev/vda", image: `factory.talos.dev/metal-installer/${SCHEMATIC}:v1.13.9` },
    network: { interfaces: [{ dhcp: true, vip: { ip: "192.168.120.100" } }] },
  };
  const own = {
    id: cluster.id,
    secret: cluster.secret,
    clusterName: "home",
    controlPlane: { endpoint: "https://192.168.120.100:6443" },
    ca: certs.k8s,
    serviceAccount: certs.k8sserviceaccount,
  };
  return `${stringify({ version: "v1alpha1", machine, cluster: own })}---\n${stringify({ apiVersion: "v1alpha1", kind: "HostnameConfig", hostname })}`;
}

let fork: string | undefined;

/** A fork of the project and its remote, which all worlds of a test file read. */
function forkOfProject(): string {
  if (fork !== undefined) return fork;
  const made = mkdtempSync(join(tmpdir(), "cluster-fork-"));
  makeFork(made, PROJECT);
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return (fork = made);
}

/** The repository of all worlds: where their commands are typed, and what their Flux fetches. */
export const worldRepository = () => join(forkOfProject(), "repo");

export interface ClusterWorld {
  world: TestWorld;
  run(tool: Tool, line: string, stdin?: string): Promise<Said>;
  /** Lets the world go on until nothing is pending, 10 s at most. */
  settle(): void;
  pass(ms: number): void;
  end(): void;
}

/** A world whose machines run and whose etcd serves, in a folder of its own, with the admin's kubeconfig. Its clock stands still a few seconds after it began. */
export async function bootstrappedWorld(faults: Partial<Record<Fault, number>> = {}, begins?: number) {
  const { secrets, talosconfig } = begins === undefined ? usual : await identityAt(begins);
  const folder = mkdtempSync(join(tmpdir(), "cluster-world-"));
  mkdirSync(folder, { recursive: true });
  for (const part of ["repo", "remotes"]) symlinkSync(join(forkOfProject(), part), join(folder, part));
  const world = Object.assign(testWorld(faults, begins), { folder });
  Object.assign(world.state.cluster, freshCluster());
  const nas = { host: "127.0.0.1:1", username: "root", key: "1-key", fingerprint: "AA:BB" };
  fetchByHand(world, ["Infrastructure"], nas, await knownEntries(process.cwd(), testCluster()));
  world.vms = ADDRESSES.map((_, at) => ({
    name: `k8s_${at}`,
    running: true,
    mac: `00:a0:98:00:00:1${at}`,
    bus: "vd",
    disks: [{ path: `pool/${at}`, id: `${at}`, bytes: 500e9 }],
    iso: { talos: "v1.13.9", schematic: SCHEMATIC, platform: "metal" },
  }));
  const files: Record<string, string> = { "/home/op/talosconfig": stringify(talosconfig) };
  const talos = (...argv: string[]) =>
    play(talosctl, world, argv, { files, env: { HOME: "/home/op", TALOSCONFIG: "/home/op/talosconfig" } });
  world.pass(400);
  for (const [at, address] of ADDRESSES.entries()) {
    files["/c"] = config(secrets, `k8s-${at}`);
    await talos("apply-config", "--insecure", "--nodes", address, "--file", "/c");
    world.pass(600);
  }
  await talos("bootstrap", "--nodes", ADDRESSES[0]!);
  world.pass(1500);
  const kubeconfig = (await talos("kubeconfig", "-", "--nodes", ADDRESSES[0]!)).out;
  return { world, folder, kubeconfig };
}

/** A cluster whose API server has just come up, with no node registered yet. */
export async function clusterWorld(faults: Partial<Record<Fault, number>> = {}): Promise<ClusterWorld> {
  const { world, folder, kubeconfig } = await bootstrappedWorld(faults);
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      world.pass(20);
      tick(world);
    }
  };
  const clock = setInterval(() => pass(20), 5);
  return {
    world,
    pass,
    settle() {
      for (let passed = 0; passed < 10_000 && pending(world); passed += 20) pass(20);
    },
    end() {
      clearInterval(clock);
      rmSync(folder, { recursive: true, force: true });
    },
    run: standInOf(world, kubeconfig),
  };
}

/** Runs a stand-in's command line in this process. */
export function standInOf(world: TestWorld, kubeconfig: string) {
  return async (tool: Tool, line: string, stdin = ""): Promise<Said> => {
    const said: Said = { code: -1, out: "", err: "" };
    try {
      said.code = await tool(world, {
        argv: line.split(" "),
        env: { HOME: "/home/op", KUBECONFIG: "/k" },
        cwd: worldRepository(),
        read: async (path) => (path === "/k" ? kubeconfig : readFileSync(resolve(worldRepository(), path), "utf8")),
        stdin: async () => stdin,
        write: async () => {},
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
      });
    } catch (error) {
      if (!(error instanceof Untaught)) throw error;
      return { ...said, code: 70, err: error.message };
    }
    return said;
  };
}
