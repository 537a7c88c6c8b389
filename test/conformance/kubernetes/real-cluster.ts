// A simulated cluster with a real API server behind it, and the real kubectl in front: machines that were bootstrapped, and a clock that runs.
import { execFile, type ExecFileException } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type KubernetesServer, serveKubernetes } from "../../simulators/wire/kubernetes/kubernetes.ts";
import { readLines } from "../../simulators/evidence/evidence.ts";
import type { Fault } from "../../simulators/world/faults.ts";
import { bootstrappedWorld, worldRepository } from "../../lab/simulators/cluster/cluster-world.ts";
import type { TestWorld } from "../../lab/simulators/test-world.ts";
import { builtTools } from "../../tools/find.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface RealCluster {
  world: TestWorld;
  folder: string;
  server: KubernetesServer;
  /** The admin's kubeconfig as Talos hands it out. */
  text: string;
  /** Runs a real tool with the admin's kubeconfig. */
  run(tool: string, args: string[], stdin?: string): Promise<Ran>;
  kubectl(...args: string[]): Promise<Ran>;
  apply(text: string, ...more: string[]): Promise<Ran>;
  /** What the API server refused a controller: a controller that writes what no real one could. */
  refused(): unknown[];
  /** Waits until nothing is under way. */
  settle(seconds?: number): Promise<void>;
  /** Ends the servers; the folder stays. */
  close(): Promise<void>;
  end(): Promise<void>;
}

const WARNING = /^(?:time=\S+ )?level=WARN |^warning: |^[IW]\d{4} \d\d:/i;

/** The result without warnings on stderr: on a slow machine helm and kubectl also warn about requests that had to wait. */
export const withoutWarnings = (ran: Ran): Ran => {
  const lines = ran.err.split("\n").filter((line) => !WARNING.test(line));
  return { ...ran, err: lines.join("\n") };
};

export const tools = builtTools();
const serverTools = { etcd: tools.bin("etcd"), kubeApiserver: tools.bin("kube-apiserver") };

/** What passes in the world until its etcd serves. */
const BOOTED_IN = 5_000;

/** Up when it returns. */
export async function realCluster(faults: Partial<Record<Fault, number>> = {}): Promise<RealCluster> {
  return open(await bootstrappedWorld(faults, Date.now() - BOOTED_IN));
}

/** The same home again after `close`, or a copy of its folder with a copy of its world. */
export const reopen = ({ world, folder, text }: RealCluster, copy?: string): Promise<RealCluster> =>
  open({ world: copy ? { ...world, state: structuredClone(world.state), folder: copy } : world, folder: copy ?? folder, kubeconfig: text });

async function open({ world, folder, kubeconfig: text }: Awaited<ReturnType<typeof bootstrappedWorld>>): Promise<RealCluster> {
  // helm and the API server know only the real time
  const clock = setInterval(() => world.pass(Math.max(0, Date.now() - world.now())), 20);
  const server = await serveKubernetes(world, { tools: serverTools, folder });
  const kubeconfig = join(folder, "kubeconfig");
  const settle = async (seconds = 300) => {
    const until = performance.now() + seconds * 1000;
    for (let quiet = 0; quiet < 3; await pause(40)) {
      quiet = server.pending() ? 0 : quiet + 1;
      const refused = readLines(join(folder, "unexpected.ndjson")).map(({ what }) => what);
      if (refused.length > 0) throw new Error(`the API server refused what a controller wrote: ${refused.join("; ")}`);
      if (performance.now() > until)
        throw new Error(`the cluster is still at work after ${seconds} s: ${world.changes.slice(-5).join("; ")}`);
    }
  };
  const run = (tool: string, args: string[], stdin = "") =>
    new Promise<Ran>((done) => {
      const child = execFile(
        tools.bin(tool),
        args,
        { cwd: worldRepository(), env: { PATH: "/usr/bin:/bin", HOME: folder, KUBECONFIG: kubeconfig }, maxBuffer: 1 << 28 },
        (error: ExecFileException | null, out, err) => done({ code: error ? Number(error.code ?? -1) : 0, out, err }),
      );
      child.stdin!.on("error", () => {}); // a tool that does not read its input has ended
      child.stdin!.end(stdin);
    });
  while (server.port() === undefined) {
    server.pending();
    await pause(20);
  }
  writeFileSync(kubeconfig, text.replace(/server: \S+/, `server: https://127.0.0.1:${server.port()}`), { mode: 0o600 });
  const close = async () => {
    await server.close();
    clearInterval(clock);
  };
  return {
    world,
    folder,
    server,
    text,
    run,
    kubectl: (...args) => run("kubectl", args),
    apply: (text, ...more) =>
      run(
        "kubectl",
        ["apply", "--server-side", "--force-conflicts", "--field-manager", "home-ops-bootstrap", ...more, "--filename", "-"],
        text,
      ),
    refused: () => readLines(join(folder, "unexpected.ndjson")),
    settle,
    close,
    async end() {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
