// Ceph as Rook 1.20.6 with Ceph 20.2.4 reports it. Kernels before 7.0 need `aes` keys, and then Ceph warns for ever; only a mute brings HEALTH_OK.
// (Rook v1.20.6: Documentation/Storage-Configuration/Advanced/cephx-key-rotation.md, pkg/operator/ceph/cluster/{cephx,cephstatus}.go.)
import { isDeepStrictEqual } from "node:util";
import { PACE, type Step } from "./nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, setStatus } from "./store.ts";
import type { ClusterState } from "./state.ts";

/** Ceph takes far longer than a claim, at whatever pace. */
const CEPH = PACE.release * 2;

type Details = Record<string, { severity: string; message: string }>;

const warning = (message: string) => ({ severity: "HEALTH_WARN", message });

/** What Ceph warns of: its key types, and the fault that somebody asked for. */
export function cephWarnings({ security }: any, faulty: boolean): Details {
  const { allowedCiphers = ["aes", "aes256k"], csi } = security?.cephx ?? {}; // Rook's defaults (KnownCephxKeyTypes)
  return {
    ...(csi?.keyType === "aes" && { AUTH_INSECURE_CLIENT_KEY_TYPE: warning("4 auth client entities with insecure key types") }),
    ...((allowedCiphers as string[]).includes("aes") && {
      AUTH_INSECURE_KEYS_ALLOWED: warning("insecure key types are allowed"),
      AUTH_INSECURE_KEYS_CREATABLE: warning("insecure key types can be created"),
    }),
    ...(faulty && { OSD_SLOW_PING_TIME_BACK: warning("Slow OSD heartbeats on back") }),
  };
}

/** Muted warnings stay in the details and no longer count. */
const healthOf = (details: Details, muted: readonly string[]) =>
  Object.keys(details).every((check) => muted.includes(check)) ? "HEALTH_OK" : "HEALTH_WARN";

export function cephSteps(state: Readonly<ClusterState>, faulty: boolean): Step[] {
  return entriesOf(state, "cephclusters.ceph.rook.io").flatMap((entry) => {
    const { metadata, spec, status } = entry.object;
    if (!runs(state, "Deployment/rook-ceph-operator", metadata.namespace!)) return [];
    const details = cephWarnings(spec ?? {}, faulty);
    const mutes = Object.entries<{ policy: string }>(spec?.healthCheck?.muteHealthWarning ?? {});
    // Rook reads the status first and mutes afterwards: the first look never has them
    const muted = status?.ceph ? mutes.filter(([, { policy }]) => policy === "mute").map(([check]) => check) : [];
    const health = healthOf(details, muted);
    if (status?.ceph?.health === health && isDeepStrictEqual(status.ceph.details, details)) return [];
    return [
      {
        at: entry.at + CEPH,
        what: `CephCluster ${metadata.namespace}/${metadata.name} is ${health}`,
        apply(state) {
          const found = Object.values(state.objects).find(({ object }) => object.metadata.uid === metadata.uid);
          const ceph = { health, details, ...(status?.ceph && { previousHealth: status.ceph.health }) };
          if (found) setStatus(state, found, { ceph, observedGeneration: metadata.generation, phase: "Ready", state: "Created" }, "rook");
        },
      },
    ];
  });
}
