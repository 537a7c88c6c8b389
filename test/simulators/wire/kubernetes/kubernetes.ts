// The simulated cluster with the real tools: a real API server while the machines run one, the world as its copy, and the world's controllers writing to it.
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { leave, pending as clusterPending, tick } from "../../world/cluster/cluster.ts";
import { apiServerUp, clusterOf, configOf, addressesOf, runningNodes } from "../../world/talos/machines.ts";
import type { World } from "../../world/world.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { createDoor } from "./door.ts";
import { writeIdentity } from "./identity.ts";
import type { Tools } from "./servers.ts";

export interface KubernetesServer {
  /** Where the API server is found now; undefined while it is away. */
  port(): number | undefined;
  /** Whether anything is under way by itself. Throws what ended the simulated cluster, if anything did. */
  pending(): boolean;
  /** Settles what is on its way and holds etcd still, so that the home's folder can be copied; the function that comes back lets it go on. */
  quiesce(): Promise<() => void>;
  /** Ends the servers; their data stay in the folder, and serve again when the home is opened there. */
  close(): Promise<void>;
}

/** What a signal takes at most until it is heard. */
const SIGNAL_MS = 50;

/** Serves the cluster of this world with a real etcd and kube-apiserver, data below `<folder>/kubernetes`. Moves the cluster on by itself, every `paceMs`. */
export async function serveKubernetes(
  world: World,
  { tools, folder, paceMs = 30 }: { tools: Tools; folder: string; paceMs?: number },
): Promise<KubernetesServer> {
  const data = join(folder, "kubernetes");
  world.change("world", "a real API server stands behind the cluster", ({ cluster }) => void (cluster.outbox ??= []));
  const door = await createDoor(() => world.strikes("api-server-flaps"));
  let cluster: (Cluster & { id: string }) | undefined;
  let wrong: Error | undefined;
  let ended = false;
  let held = 0;
  let current: Promise<void> | undefined;

  const heard = (line: string) => {
    const { stage, verb, userAgent = "", objectRef = {} } = JSON.parse(line);
    const what = `${String(userAgent).split("/")[0]} ${verb} ${objectRef.resource} ${objectRef.name ?? ""}`;
    if (stage === "RequestReceived") {
      world.onProductChange?.("before", what);
      if (verb === "patch" && world.strikes("api-server-leaves-during-apply")) {
        leave(world);
        door.shut();
      }
    } else if (stage === "ResponseComplete") world.onProductChange?.("after", what);
  };
  const open = async (id: string) => {
    const nodes = runningNodes(world.state).map((machine) => ({ machine, config: configOf(machine)! }));
    const { config } = nodes.find(({ config }) => config.type === "controlplane")!;
    const identity = writeIdentity(join(data, id, "pki"), {
      cluster: clusterOf(world.state)!,
      caKey: config.cluster.ca.key,
      serviceAccount: config.cluster.serviceAccountKey,
      addresses: nodes.flatMap(({ machine }) => addressesOf(machine)),
    });
    const told = new Set<string>();
    // a controller that is refused tries again for ever: once is enough to read
    const refused = (what: string) =>
      !told.has(what) &&
      told.add(what) &&
      appendFileSync(join(folder, "unexpected.ndjson"), `${JSON.stringify({ at: world.now(), host: "kubernetes", what })}\n`);
    const serviceSubnet = config.cluster.serviceSubnets[0]!;
    return openCluster(world, tools, { folder: join(data, id), identity, serviceSubnet, heard, refused });
  };
  const turn = async () => {
    const ids = new Set(Object.values(world.state.machines).flatMap(({ etcd }) => (etcd ? [etcd.cluster] : [])));
    if (cluster && !ids.has(cluster.id)) {
      door.shut();
      await cluster.close();
      rmSync(join(data, cluster.id), { recursive: true, force: true });
      cluster = undefined;
    }
    if (world.state.cluster.etcd !== undefined && !ids.has(world.state.cluster.etcd)) tick(world); // the cluster is no more
    const up = apiServerUp(world);
    if (!up) return door.shut();
    if (world.state.cluster.etcd === undefined) tick(world); // a cluster begins
    const id = world.state.cluster.etcd!;
    cluster ??= { ...(await open(id)), id };
    const away = (world.state.cluster.awayUntil ?? 0) > world.now();
    if (away) door.shut();
    else await door.open(cluster.port);
    await cluster.turn();
  };
  const running = (async () => {
    while (!ended) {
      if (held === 0) await (current = turn());
      await pause(paceMs);
    }
  })().catch((error: Error) => {
    wrong = error;
    door.shut();
  });
  return {
    port: () => (door.isOpen() ? door.port : undefined),
    pending() {
      if (wrong) throw wrong;
      return clusterPending(world) || (apiServerUp(world) && (!door.isOpen() || cluster?.busy() !== false));
    },
    async quiesce() {
      held += 1;
      await current;
      const release = cluster?.hold();
      await pause(SIGNAL_MS);
      return () => {
        held -= 1;
        release?.();
      };
    },
    async close() {
      ended = true;
      await running;
      door.close();
      await cluster?.close();
    },
  };
}
