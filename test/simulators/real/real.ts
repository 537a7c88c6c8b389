// The servers behind the real tools: a gRPC server for each node, an API server with its etcd, and the addresses through which the proxy reaches them.
import { layoutOf } from "../environment.ts";
import type { RealTools } from "./real-tools.ts";
import { serveKubernetes } from "../wire/kubernetes/kubernetes.ts";
import { createOpenApplies } from "../wire/talos/open-applies.ts";
import { serveTalos } from "../wire/talos/serve.ts";
import { apiServerAt } from "../world/cluster/kubeconfig.ts";
import { swapAt } from "../world/stranger.ts";
import type { World } from "../world/world.ts";

export interface Real {
  /** The local port behind an address of the home; see the proxy. */
  tunnel(host: string, port: number): Promise<number | "away" | undefined>;
  pending(): boolean;
  /** Holds the API server and etcd still, so that the folder can be copied, and lets them go on. */
  quiesce(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

const TALOS = 50_000;
const KUBERNETES = 6443;

/** Opens both over a world. */
export async function openReal(world: World, { servers }: RealTools): Promise<Real> {
  const [talos, kubernetes] = await Promise.all([serveTalos(world), serveKubernetes(world, { tools: servers, folder: world.folder })]);
  const isOpenApply = createOpenApplies(layoutOf(world.folder).calls);
  let goOn: (() => void) | undefined;
  return {
    async tunnel(host, port) {
      if (!/^\d+(\.\d+){3}$/.test(host)) return undefined;
      if (port === TALOS && isOpenApply(host)) {
        swapAt(world, host);
        await talos.follow();
      }
      if (port === TALOS) return talos.portOf(host) ?? "away";
      if (port === KUBERNETES) return (apiServerAt(world, host) === "answers" ? kubernetes.port() : undefined) ?? "away";
      return undefined;
    },
    pending: () => kubernetes.pending(),
    async quiesce() {
      goOn ??= await kubernetes.quiesce();
    },
    resume() {
      goOn?.();
      goOn = undefined;
    },
    close: async () => void (await Promise.all([talos.close(), kubernetes.close()])),
  };
}
