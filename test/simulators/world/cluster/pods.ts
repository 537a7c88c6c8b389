// What the pods of an application wait for, as the values of app-template say it: claims that are bound, Secrets that are there.
import { chartName } from "../charts/cluster-charts.ts";
import { entryAt } from "./store.ts";
import type { ClusterState, Entry, KubeObject } from "./state.ts";

/** The workload with the claims and Secrets that its release names; other charts' workloads as they are. */
export function withNeeds(workload: KubeObject, { name: release, url, values }: { name: string; url: string; values: any }): KubeObject {
  if (chartName(url) !== "app-template") return workload;
  const filled = (text: string) => text.replaceAll("{{ .Release.Name }}", release);
  const volumes = Object.entries((values.persistence ?? {}) as Record<string, { existingClaim?: string }>)
    .filter(([, { existingClaim }]) => existingClaim !== undefined)
    .map(([name, { existingClaim }]) => ({ name, persistentVolumeClaim: { claimName: filled(existingClaim!) } }));
  const controllers = Object.values((values.controllers ?? {}) as Record<string, { containers?: Record<string, any> }>);
  const envFrom = controllers
    .flatMap(({ containers = {} }) => Object.values(containers))
    .flatMap((container) => (container.envFrom ?? []) as { secretRef?: { name: string } }[])
    .flatMap(({ secretRef }) => (secretRef ? [{ secretRef: { name: filled(secretRef.name) } }] : []));
  const { containers, ...pod } = workload.spec.template.spec;
  const spec = { ...pod, containers: containers.map((one: object) => ({ ...one, ...(envFrom.length > 0 && { envFrom }) })) };
  const template = { ...workload.spec.template, spec: { ...spec, ...(volumes.length > 0 && { volumes }) } };
  return { ...workload, spec: { ...workload.spec, template } };
}

/** Why the kubelet or the scheduler holds a pod of this workload back; undefined when nothing is missing. */
export function unmet(state: Readonly<ClusterState>, { object: { metadata, spec } }: Entry): string | undefined {
  const { containers = [], volumes = [] } = spec.template.spec;
  const namespace = metadata.namespace!;
  for (const { persistentVolumeClaim } of volumes) {
    const name = persistentVolumeClaim?.claimName as string | undefined;
    if (name === undefined) continue;
    const claim = entryAt(state, "persistentvolumeclaims", namespace, name);
    if (!claim) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
    if (claim.object.status?.phase !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
  }
  for (const { secretRef } of containers.flatMap(({ envFrom = [] }: any) => envFrom)) {
    if (secretRef && !entryAt(state, "secrets", namespace, secretRef.name as string))
      return `Error: secret ${JSON.stringify(secretRef.name)} not found`;
  }
  return undefined;
}
