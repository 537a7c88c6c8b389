// Objects that become ready by themselves, some time after they are applied: what each waits for, and what it brings.
import { groupOf } from "../../tree/object.ts";
import type { KubeObject, Located, Source } from "../../tree/types.ts";
import type { Behave, Behaviour } from "./behaviour.ts";
import { certificate, gateway, gatewayClass, issuer, route } from "./certificates.ts";
import { externalSecret, pushSecret, secretStore } from "./externalsecret.ts";
import { controllerKey, existsKey, named, readyKey, secretKey } from "./keys.ts";
import { APPLIED, need, type Step, type Unit } from "./step.ts";
import { known } from "./guessed.ts";
import { secretReader } from "./secret-readers.ts";
import { claim, maintenance, populator, snapshotUser, workload } from "./workloads.ts";
import type { World } from "./world.ts";

/** Talos answers with a Secret of the same name. */
const talosAccount: Behave = ({ metadata }) => ({ needs: [], provides: [secretKey(metadata.namespace ?? "", metadata.name)] });

const BEHAVIOURS: Record<string, Behave> = {
  "external-secrets.io/ExternalSecret": externalSecret,
  "external-secrets.io/ClusterSecretStore": secretStore,
  "external-secrets.io/SecretStore": secretStore,
  "external-secrets.io/PushSecret": pushSecret,
  "cert-manager.io/Certificate": certificate,
  "cert-manager.io/ClusterIssuer": issuer,
  "cert-manager.io/Issuer": issuer,
  "gateway.networking.k8s.io/GatewayClass": gatewayClass,
  "gateway.networking.k8s.io/Gateway": gateway,
  "gateway.networking.k8s.io/HTTPRoute": route,
  "gateway.networking.k8s.io/GRPCRoute": route,
  "gateway.networking.k8s.io/TLSRoute": route,
  "/PersistentVolumeClaim": claim,
  "volsync.backube/ReplicationDestination": populator,
  "volsync.backube/ReplicationSource": snapshotUser,
  "talos.dev/ServiceAccount": talosAccount,
  "volsync.backube/KopiaMaintenance": maintenance,
  "monitoring.coreos.com/AlertmanagerConfig": secretReader,
  "notification.toolkit.fluxcd.io/Provider": secretReader,
  "notification.toolkit.fluxcd.io/Receiver": secretReader,
  "grafana.integreatly.org/Grafana": secretReader,
  "grafana.integreatly.org/GrafanaDatasource": secretReader,
  "apps/Deployment": workload,
  "apps/StatefulSet": workload,
  "apps/DaemonSet": workload,
  "batch/Job": workload,
};

/** Whether more is known of a kind than that it has a controller. */
export const hasBehaviour = (object: KubeObject) => `${groupOf(object)}/${object.kind}` in BEHAVIOURS;

/** The step in which an object becomes ready; none for one that is ready as soon as it is applied. */
export function objectStep(located: Located, parent: Unit, world: World): Step | undefined {
  const { object, source, guessed } = located;
  const group = groupOf(object);
  const behaviour = BEHAVIOURS[`${group}/${object.kind}`]?.(object, source, world) ?? sourceBehaviour(object, source) ?? { needs: [] };
  const needs = [...known(behaviour.needs, guessed)];
  if (behaviour.controller) needs.push(need(controllerKey(behaviour.controller), "wait", "is worked on by %", source));
  else if (world.controlled.has(group) && !READY_AT_ONCE.has(group))
    needs.push(need(controllerKey(group), "wait", "is worked on by %", source));
  if (needs.length === 0 && !behaviour.provides?.length) return undefined;
  const unit: Unit = { name: named(object), opensWave: false, retry: 0, parent, source };
  return {
    name: `${unit.name}: ready`,
    unit,
    needs: [need(existsKey(object), "guard", APPLIED, source), ...needs],
    provides: [readyKey(object), ...(behaviour.provides ?? [])],
    takes: behaviour.takes ?? 5,
    source,
  };
}

/** APIs whose objects have no status to wait for: configuration that others read. */
const READY_AT_ONCE: ReadonlySet<string> = new Set([
  "monitoring.coreos.com",
  "cilium.io",
  "notification.toolkit.fluxcd.io",
  "source.toolkit.fluxcd.io",
  "externaldns.k8s.io",
]);

/** A source of Flux is ready once it has its files, with the Secret that it names. */
function sourceBehaviour(object: KubeObject, source: Source): Behaviour | undefined {
  if (groupOf(object) !== "source.toolkit.fluxcd.io") return undefined;
  const name = object.spec?.secretRef?.name;
  if (!name) return undefined;
  return {
    needs: [
      need(existsKey({ group: "", kind: "Secret", namespace: object.metadata.namespace ?? "", name }), "wait", "logs in with %", source),
    ],
  };
}
