// An install as the plan shows it, the names that must be typed for it, and when a second look is another plan.
import { describe, expect, test } from "vitest";
import type { DiskContents } from "../../../scripts/lib/talos/disks.ts";
import {
  confirmationOf,
  type Install,
  installLines,
  installStep,
  installSteps,
  lossesOf,
  changedMachines,
} from "../../../scripts/lib/talos/install.ts";
import { testCluster } from "../test-cluster.ts";

const NODES = testCluster().nodes;
const disk = (role: DiskContents["role"], holds: DiskContents["holds"]): DiskContents => ({
  device: role === "system" ? "/dev/vda" : "/dev/vdb",
  role,
  size: "500 GB",
  holds,
});
const BLANK = [disk("system", { blank: true }), disk("data", { blank: true })];
const OSD = [BLANK[0]!, disk("data", { found: "bluestore" })];
const OLD = [disk("system", { found: "gpt with photos (ext4)" }), BLANK[1]!];
const UNREAD = [disk("system", { unknown: "Talos could not probe it" })];
const install = (index: number, disks: DiskContents[], more: Partial<Install> = {}): Install => ({
  node: NODES[index]!,
  machine: { fingerprint: `print-${index}`, macs: { got: [NODES[index]!.mac] }, disks },
  ...more,
});
const WHY = "k8s-0: i/o timeout; Kubernetes: no route to host";
const UNASKED = { unasked: { why: WHY, cluster: "$KUBECONFIG is this cluster's" } };
const NO_CLUSTER = { unasked: { why: WHY } };
const KNOWN = { known: "etcd counts it as member k8s-1" };

test("the plan shows the certificate, and each disk with what was found on it", () =>
  expect(installLines(install(0, OSD))).toEqual([
    "k8s-0 (192.168.122.10), maintenance: installs Talos on its system disk, and reboots",
    "  certificate print-0, which its console shows too",
    "  system disk /dev/vda (500 GB): blank",
    "  data disk /dev/vdb (500 GB): bluestore",
  ]));
test("the plan shows what the cluster knows of the address", () =>
  expect(installLines(install(1, BLANK, KNOWN)).at(-1)).toBe("  careful: etcd counts it as member k8s-1"));
test.each<[string, Partial<Install>, string]>([
  ["a cluster exists and cannot be asked", UNASKED, "  careful: it is unknown whether the cluster has a living node at this address: "],
  ["nobody answers and no cluster was ever seen", NO_CLUSTER, "  it is unknown whether the cluster has a living node at this address: "],
])("the plan shows that %s", (_, more, line) => expect(installLines(install(1, BLANK, more)).at(-1)).toBe(line + WHY));

describe("what must be confirmed by name", () => {
  test("blank disks need a yes only", () => expect(confirmationOf([install(0, BLANK), install(1, BLANK)])).toBeUndefined());
  test.each<[string, Install, string[]]>([
    ["data on the system disk", install(0, OLD), ["k8s-0: system disk /dev/vda (500 GB): gpt with photos (ext4)"]],
    [
      "data on the data disk",
      install(0, OSD),
      ["k8s-0: data disk /dev/vdb (500 GB): bluestore (the install leaves it, but Ceph takes only a blank disk)"],
    ],
    ["a disk that could not be read", install(0, UNREAD), ["k8s-0: system disk /dev/vda (500 GB): unknown: Talos could not probe it"]],
    ["a living node at the address", install(0, BLANK, KNOWN), ["k8s-0: etcd counts it as member k8s-1"]],
    [
      "a cluster that exists and cannot be asked",
      install(0, BLANK, UNASKED),
      ["k8s-0: the cluster may have a living node at 192.168.122.10, and cannot be asked ($KUBECONFIG is this cluster's)"],
    ],
  ])("%s", (_, one, what) => {
    expect(lossesOf(one)).toEqual(what);
    expect(confirmationOf([install(2, BLANK), one])).toEqual({ what, name: "k8s-0" });
  });
  test("several nodes are named in one answer, and only those that lose something", () =>
    expect(confirmationOf([install(0, OLD), install(1, BLANK), install(2, OSD, KNOWN)])?.name).toBe("k8s-0,k8s-2"));
  test("a cluster that cannot be asked needs every node that is installed", () =>
    expect(confirmationOf([install(0, BLANK, UNASKED), install(1, BLANK, UNASKED)])?.name).toBe("k8s-0,k8s-1"));
  test("a node needs its name where others do not answer, since they may be a cluster", () =>
    expect(confirmationOf([install(0, BLANK, { unasked: { why: WHY, silent: ["k8s-1", "k8s-2"] } })])).toEqual({
      what: ["k8s-0: the cluster may have a living node at 192.168.122.10, and cannot be asked (k8s-1, k8s-2 do not answer)"],
      name: "k8s-0",
    }));
  test("a first bootstrap needs none while every other node waits for its first config", () =>
    expect(confirmationOf([install(0, BLANK, NO_CLUSTER)])).toBeUndefined());
});

describe("a second look", () => {
  const same = (one: Install, other: Install) => JSON.stringify(installSteps(one)) === JSON.stringify(installSteps(other));
  test("at the same machine is the same plan", () => expect(same(install(0, BLANK), install(0, BLANK))).toBe(true));
  test("while nobody answers and no cluster exists is the same plan", () =>
    expect(same(install(0, BLANK, NO_CLUSTER), install(0, BLANK))).toBe(true));
  test.each<[string, Install]>([
    ["another certificate", { ...install(0, BLANK), machine: { ...install(0, BLANK).machine, fingerprint: "other" } }],
    ["data that was not there", install(0, OLD)],
    ["a disk that can no longer be read", install(0, UNREAD)],
    ["a node that has come to life at the address", install(0, BLANK, KNOWN)],
    ["a cluster that exists and cannot be asked", install(0, BLANK, UNASKED)],
  ])("that finds %s is another plan", (_, other) => expect(same(install(0, BLANK), other)).toBe(false));
});

describe("a machine that was swapped", () => {
  const planned = installSteps(install(0, BLANK));
  test("is named with both certificates", () =>
    expect(changedMachines(planned, [{ ...install(0, BLANK), machine: { ...install(0, BLANK).machine, fingerprint: "other" } }])).toEqual([
      "the plan showed k8s-0, certificate print-0; now it is other",
    ]));
  test("is not one that did not answer when the plan was made", () =>
    expect(changedMachines([installStep("k8s-1")], [install(1, BLANK)])).toEqual([]));
  test("is not one that shows the same certificate", () => expect(changedMachines(planned, [install(0, BLANK)])).toEqual([]));
});
