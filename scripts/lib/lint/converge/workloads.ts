// Pods and their volumes: what a workload mounts and reads, which class a claim asks for, who fills it.
import { groupOf } from "../../tree/object.ts";
import type { KubeObject, Source } from "../../tree/types.ts";
import { configMapKey, existsKey, readyKey, secretKey, provisionedKey } from "./keys.ts";
import type { Behaviour } from "./behaviour.ts";
import { need, type Need } from "./step.ts";
import { claimKey } from "./values.ts";
import type { World } from "./world.ts";
import { maps } from "./shape.ts";

/** A restore of some gigabytes over the home's network. */
const RESTORE_TAKES = 300;
const VOLSYNC = "volsync.backube";

/** A workload: Secrets, ConfigMaps and claims of its Pods. */
export function workload(object: KubeObject, source: Source): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const needs = new Map<string, Need>();
  const add = (key: string, why: string) => needs.set(key, need(key, "wait", why, source));
  const pod = object.spec?.template?.spec ?? {};
  for (const { secret, configMap, persistentVolumeClaim, projected } of maps(pod.volumes)) {
    if (persistentVolumeClaim?.claimName) add(claimKey(namespace, persistentVolumeClaim.claimName), "has Pods that mount %");
    for (const one of [{ secret, configMap }, ...maps(projected?.sources)]) {
      const name = one.secret?.secretName ?? one.secret?.name;
      if (name && !one.secret.optional) add(secretKey(namespace, name), "has Pods that mount %");
      if (one.configMap?.name && !one.configMap.optional) add(configMapKey(namespace, one.configMap.name), "has Pods that mount %");
    }
  }
  for (const container of [...maps(pod.initContainers), ...maps(pod.containers)])
    for (const { secretRef, configMapRef, valueFrom } of [...maps(container.envFrom), ...maps(container.env)]) {
      const secret = secretRef ?? valueFrom?.secretKeyRef;
      const configMap = configMapRef ?? valueFrom?.configMapKeyRef;
      if (secret?.name && !secret.optional) add(secretKey(namespace, secret.name), "has Pods that take their environment from %");
      if (configMap?.name && !configMap.optional)
        add(configMapKey(namespace, configMap.name), "has Pods that take their environment from %");
    }
  for (const { spec } of maps(object.spec?.volumeClaimTemplates))
    if (spec?.storageClassName) add(provisionedKey(spec.storageClassName), "has volumes of %");
  return { needs: [...needs.values()], takes: 30 };
}

/** A claim needs its class, and the populator that fills the volume before a Pod can mount it. */
export function claim(object: KubeObject, source: Source): Behaviour {
  const { storageClassName, dataSourceRef } = object.spec ?? {};
  const namespace = object.metadata.namespace ?? "";
  const needs: Need[] = [];
  if (storageClassName) needs.push(need(provisionedKey(storageClassName), "wait", "is of %", source));
  if (dataSourceRef?.apiGroup && dataSourceRef.kind !== "VolumeSnapshot")
    needs.push(
      need(
        readyKey({
          group: dataSourceRef.apiGroup,
          kind: dataSourceRef.kind,
          namespace: dataSourceRef.namespace ?? namespace,
          name: dataSourceRef.name,
        }),
        "wait",
        "is filled by %",
        source,
      ),
    );
  return { needs };
}

/** Fills a claim from a backup: repository, classes, and the controller that does it. */
export const populator = (object: KubeObject, source: Source, world: World): Behaviour => ({
  ...snapshotUser(object, source, world),
  takes: RESTORE_TAKES,
});

/** Backs a claim up, or fills one. */
export function snapshotUser(object: KubeObject, source: Source, _world: World): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const mover = object.spec?.kopia ?? object.spec?.restic ?? object.spec?.rclone ?? {};
  const needs: Need[] = [];
  if (typeof mover.repository === "string")
    needs.push(need(secretKey(namespace, mover.repository), "wait", "reads its repository's password from %", source));
  for (const name of new Set([mover.storageClassName, mover.cacheStorageClassName]))
    if (typeof name === "string" && name) needs.push(need(provisionedKey(name), "wait", "has volumes of %", source));
  if (mover.volumeSnapshotClassName)
    needs.push(
      need(
        existsKey({ group: "snapshot.storage.k8s.io", kind: "VolumeSnapshotClass", namespace: "", name: mover.volumeSnapshotClassName }),
        "wait",
        "takes its snapshots with %",
        source,
      ),
    );
  return { needs, controller: groupOf(object) || VOLSYNC };
}

/** Keeps a repository in order: its password. */
export function maintenance(object: KubeObject, source: Source): Behaviour {
  const name = object.spec?.repository?.repository;
  const key = secretKey(object.metadata.namespace ?? "", String(name));
  return {
    needs: typeof name === "string" ? [need(key, "wait", "reads its repository's password from %", source)] : [],
    controller: VOLSYNC,
  };
}
