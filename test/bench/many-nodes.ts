// How a home with many nodes comes up: seconds and memory by number of nodes, which shows what grows faster than they do.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument, type YAMLSeq } from "yaml";
import { DAY, finalState, runStep } from "../rehearsal/day.ts";
import { startHome } from "../rehearsal/home-process.ts";
import { readHomeFile } from "../simulators/environment.ts";
import { makeFork } from "../simulators/fork/fork.ts";

export interface Growth {
  nodes: number;
  /** Of the whole day, and of its last step, `bootstrap`. */
  seconds: number;
  bootstrap: number;
  /** Largest resident sizes in MiB: the home's, and the largest of the procedures'. */
  home: number;
  product: number;
}

/** Lives the day in a home of its own with so many nodes. Throws when it does not end with all of them Ready. */
export async function manyNodes(project: string, nodes: number): Promise<Growth> {
  const folder = mkdtempSync(join(tmpdir(), "bench-nodes-"));
  let home: Awaited<ReturnType<typeof startHome>> | undefined;
  try {
    makeFork(folder, project);
    grow(join(folder, "repo/talos/cluster.yaml"), nodes);
    home = await startHome({ folder, project });
    const grown: Growth = { nodes, seconds: 0, bootstrap: 0, home: 0, product: 0 };
    for (const step of DAY) {
      let watch: NodeJS.Timeout | undefined;
      const onStart = async (pid: number) =>
        void (watch = setInterval(() => (grown.product = Math.max(grown.product, peakOf(pid) ?? 0)), 100));
      const ran = await runStep(folder, step, { onStart });
      clearInterval(watch);
      if (ran.code !== 0) throw new Error(`with ${nodes} nodes ${step.name} ended with ${ran.code}:\n${ran.stderr.slice(-2000)}`);
      grown.seconds += ran.seconds;
      if (step.name === "bootstrap") grown.bootstrap = ran.seconds;
    }
    const { nodes: ready } = await finalState(folder);
    if (ready !== `${nodes}/${nodes}`) throw new Error(`of ${nodes} nodes ${ready} are Ready`);
    grown.home = peakOf(readHomeFile(folder).pid) ?? 0;
    return grown;
  } finally {
    await home?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes so many nodes into a fork's cluster.yaml, like the first one but for name, address and MAC; disks small enough for one pool. */
function grow(file: string, count: number): void {
  const document = parseDocument(readFileSync(file, "utf8"));
  const first = (document.get("nodes") as YAMLSeq).get(0) as { toJSON(): object };
  const nodes = Array.from({ length: count }, (_, at) => ({
    ...first.toJSON(),
    name: `k8s-${at}`,
    address: `192.168.122.${10 + at}`,
    mac: `00:a0:98:00:00:${at.toString(16).padStart(2, "0")}`,
  }));
  document.set("nodes", nodes);
  document.set("vm", { cpus: 2, memory: "4GiB", bootDisk: "20GB", dataDisk: "20GB" });
  writeFileSync(file, document.toString());
}

/** The largest resident size that a process has had, in MiB; undefined once it has ended. */
function peakOf(pid: number): number | undefined {
  try {
    const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return peak === undefined ? undefined : Math.round(Number(peak) / 1024);
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = process.argv.slice(2).map(Number);
  for (const count of counts.length > 0 ? counts : [10, 25, 50]) console.log(JSON.stringify(await manyNodes(process.cwd(), count)));
}
