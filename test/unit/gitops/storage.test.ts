// Storage and backups: disks that are meant, classes that exist, and one component that every volume's backup comes from.
import { describe, expect, it } from "vitest";
import { PLATFORM } from "../../../scripts/lib/cluster/cluster.ts";
import { type Any, documentsOf, filesUnder, KUSTOMIZATIONS, ofKind, read, SETTINGS } from "./tree.ts";

const valuesOf = (app: string) => documentsOf(`kubernetes/apps/${app}/app/helmrelease.yaml`)[0]!.object.spec.values;
const ceph = valuesOf("rook-ceph/rook-ceph-cluster");

describe("Ceph", () => {
  it.each(Object.entries(PLATFORM))("takes the data disk of %s, and never the one that Talos is on", (_name, { bootDisk, dataDisk }) => {
    const filter = new RegExp((ceph.cephClusterSpec.storage.devicePathFilter as string).replace("${DATA_DISK}", dataDisk));
    expect([dataDisk, `${dataDisk}1`, bootDisk, `${bootDisk}p1`].filter((disk) => filter.test(disk))).toEqual([dataDisk]);
    expect(ceph.cephClusterSpec.storage.useAllDevices).toBe(false);
  });

  it("leaves a disk with another Ceph on it alone: taking it over is for one rebuild, by hand", () => {
    expect(ceph.cephClusterSpec.cleanupPolicy).toEqual({ wipeDevicesFromOtherClusters: false });
  });

  it("mounts its file system by msgr2, as the monitors speak nothing else", () => {
    expect(ceph.cephClusterSpec.network.connections.requireMsgr2).toBe(true);
    expect(valuesOf("rook-ceph/ceph-csi-drivers").drivers.cephfs.kernelMountOptions).toEqual({ ms_mode: "prefer-crc" });
  });

  it("names its drivers after the operator's namespace, as its classes ask for them", () => {
    const { drivers } = valuesOf("rook-ceph/ceph-csi-drivers");
    expect([drivers.rbd.name, drivers.cephfs.name]).toEqual(["rook-ceph.rbd.csi.ceph.com", "rook-ceph.cephfs.csi.ceph.com"]);
    for (const driver of [drivers.rbd, drivers.cephfs]) expect(driver).toMatchObject({ enabled: true, snapshotPolicy: "volumeSnapshot" });
  });

  it("has client keys that the kernel of Talos 1.13 can use, and mutes the warnings that follow from it and no others", () => {
    const mute = { policy: "mute" };
    expect(ceph.cephClusterSpec.security).toEqual({ cephx: { csi: { keyType: "aes" } } });
    expect(ceph.cephClusterSpec.healthCheck).toEqual({
      muteHealthWarning: {
        AUTH_INSECURE_CLIENT_KEY_TYPE: mute,
        AUTH_INSECURE_KEYS_ALLOWED: mute,
        AUTH_INSECURE_KEYS_CREATABLE: mute,
      },
    });
  });

  it("is of one version with its operator", () => {
    const tag = (app: string) => documentsOf(`kubernetes/apps/rook-ceph/${app}/app/ocirepository.yaml`)[0]!.object.spec.ref.tag;
    expect(tag("rook-ceph-cluster")).toBe(tag("rook-ceph"));
  });
});

/** Every name that a component reads, with its default. */
const variables = (folder: string) =>
  new Map(
    filesUnder(folder).flatMap((file) =>
      [...read(file).matchAll(/\$\{([A-Z_]+)(?::=([^}]*))?\}/g)].map(([, name, standby]) => [name!, standby] as const),
    ),
  );

describe("components/volsync", () => {
  const known = variables("kubernetes/components/volsync");
  const users = KUSTOMIZATIONS.filter(({ spec }) => (spec.components as string[] | undefined)?.includes("../../../../components/volsync"));

  it("asks for APP alone: everything else has a default or is a setting", () => {
    expect([...known].filter(([name, standby]) => standby === undefined && !(name in SETTINGS)).map(([name]) => name)).toEqual(["APP"]);
  });

  it("names no backup tool in its variables: another component can take the same ones", () => {
    expect([...known.keys()].filter((name) => !(name in SETTINGS) && !name.startsWith("ITEM_")).sort()).toEqual([
      "APP",
      "BACKUP_ACCESSMODES",
      "BACKUP_CACHE_ACCESSMODES",
      "BACKUP_CACHE_CAPACITY",
      "BACKUP_CACHE_STORAGECLASS",
      "BACKUP_GID",
      "BACKUP_SCHEDULE",
      "BACKUP_UID",
      "VOLUME_ACCESSMODES",
      "VOLUME_CAPACITY",
      "VOLUME_SNAPSHOTCLASS",
      "VOLUME_STORAGECLASS",
    ]);
  });

  it("stands on classes that the charts make", () => {
    expect([known.get("VOLUME_STORAGECLASS"), known.get("VOLUME_SNAPSHOTCLASS"), known.get("BACKUP_CACHE_STORAGECLASS")]).toEqual([
      ceph.cephBlockPools[0].storageClass.name,
      ceph.cephBlockPoolsVolumeSnapshotClass.name,
      valuesOf("openebs-system/openebs")["localpv-provisioner"].hostpathClass.name,
    ]);
  });

  it.each(users.map((one) => [one.name, one] as const))(
    "%s gives its own name, known variables, and mounts the claim",
    (name, { spec, namespace }) => {
      const said = spec.postBuild.substitute as Record<string, string>;
      expect(said.APP).toBe(name);
      expect(Object.keys(said).filter((key) => !known.has(key))).toEqual([]);
      const { persistence } = valuesOf(`${namespace}/${name}`);
      expect(persistence.data.existingClaim).toBe("{{ .Release.Name }}");
    },
  );

  it("backs up at a minute of each application's own: the NAS is never asked by all at once", () => {
    const schedules = users.map(({ spec }) => spec.postBuild.substitute.BACKUP_SCHEDULE as string);
    expect(users.length).toBeGreaterThanOrEqual(8);
    for (const schedule of schedules) expect(schedule).toMatch(/^\d+ \* \* \* \*$/);
    expect(new Set(schedules).size).toBe(schedules.length);
  });

  it("leaves a volume where it is when its application leaves Git", () => {
    const [claim] = documentsOf("kubernetes/components/volsync/persistentvolumeclaim.yaml");
    expect(claim!.object.metadata.annotations).toEqual({ "kustomize.toolkit.fluxcd.io/prune": "disabled" });
  });

  it("never puts a restore back: it is begun by hand", () => {
    const [destination] = documentsOf("kubernetes/components/volsync/replicationdestination.yaml");
    expect(destination!.object.metadata.labels).toEqual({ "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent" });
  });
});

describe("Kopia's repository", () => {
  const job = documentsOf("kubernetes/apps/volsync-system/kopia/repository/job.yaml")[0]!.object;
  const pod = job.spec.template.spec;
  const [container] = pod.containers as [Any];
  const named = (name: string) => KUSTOMIZATIONS.find((one) => one.name === name)!.spec;

  it("is there before the first mover: VolSync comes after the one Job that makes it", () => {
    expect(named("volsync").dependsOn).toEqual([{ name: "kopia-repository" }]);
    expect(named("kopia-repository").wait).toBe(true);
    expect(job.metadata.annotations).toEqual({ "kustomize.toolkit.fluxcd.io/force": "enabled" });
  });

  it("is opened by the version of Kopia that serves it; test/lab/kopia-job.test.ts runs the script", () => {
    const { repository, tag } = valuesOf("volsync-system/kopia").controllers.kopia.containers.app.image;
    expect(container.image).toBe(`${repository}:${tag}`);
  });

  it("is the one that movers use, by the same user", () => {
    const { kopia } = documentsOf("kubernetes/components/volsync/replicationsource.yaml")[0]!.object.spec;
    const [{ mountPath, volumeSource }] = kopia.moverVolumes as [Any];
    expect((pod.volumes as Any[]).find(({ name }) => name === "repository").nfs).toEqual(volumeSource.nfs);
    expect(container.volumeMounts).toContainEqual({ name: "repository", mountPath: `/mnt/${mountPath}` });
    expect(kopia.moverSecurityContext.runAsUser).toBe(`\${BACKUP_UID:=${pod.securityContext.runAsUser}}`);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
  });
});

describe("components/nfs-scaler", () => {
  const [scaled] = documentsOf("kubernetes/components/nfs-scaler/scaledobject.yaml");
  const { fallback, triggers, minReplicaCount } = scaled!.object.spec;

  /** What KEDA makes of a probe: 1, 0, or nothing at all (nobody probes, or Prometheus is away). An error without a fallback stops the application. */
  function replicas(value: number | undefined): number {
    const [{ metadata }] = triggers as [Any];
    const isError = value === undefined && metadata.ignoreNullValues === "false";
    if ((value ?? 0) > Number(metadata.activationThreshold ?? 0)) return 1;
    return isError && (fallback?.replicas ?? 0) !== 0 ? fallback.replicas : minReplicaCount;
  }

  it("stops an application only on a probe that failed: no answer leaves it running", () => {
    expect([replicas(1), replicas(0), replicas(undefined)]).toEqual([1, 0, 1]);
    expect(triggers).toHaveLength(1);
  });

  it("asks for a probe that somebody makes", () => {
    const [, job] = /job="([^"]+)"/.exec(triggers[0].metadata.query as string)!;
    const probe = ofKind("Probe", "monitoring.coreos.com").find(({ object }) => object.spec.jobName === job)!;
    expect(probe.object.spec.targets.staticConfig.static).toEqual(["${NAS_HOST}:2049"]);
  });

  it("is with everything that mounts the NAS, and with nothing else", () => {
    const mounts = ofKind("HelmRelease", "helm.toolkit.fluxcd.io").filter(({ object }) =>
      Object.values((object.spec.values.persistence ?? {}) as Any).some((volume: Any) => volume.type === "nfs"),
    );
    const scaledApps = KUSTOMIZATIONS.filter(({ spec }) =>
      (spec.components as string[] | undefined)?.some((one) => one.endsWith("/nfs-scaler")),
    );
    expect(scaledApps.map(({ name }) => name).sort()).toEqual(mounts.map(({ name }) => name).sort());
    for (const { name, spec } of scaledApps) expect(spec.postBuild.substitute.APP).toBe(name);
  });
});
