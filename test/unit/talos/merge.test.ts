// A node's own documents over those of all. What is expected here is what talosctl v1.13.9 `machineconfig patch` made of the same.
import { describe, expect, test } from "vitest";
import { type Document, mergeDocuments, titleOf } from "../../../scripts/lib/talos/merge.ts";

const BASE: Document[] = [
  {
    version: "v1alpha1",
    machine: {
      sysctls: { a: "1", b: "2" },
      kernel: { modules: [{ name: "nbd" }] },
      kubelet: {
        extraMounts: [
          { destination: "/x", source: "/x" },
          { destination: "/y", source: "/y" },
        ],
        image: "old",
      },
      install: { wipe: true },
    },
    cluster: {
      network: { podSubnets: ["10.42.0.0/16"], serviceSubnets: ["10.43.0.0/16"] },
      apiServer: {
        certSANs: ["a"],
        auditPolicy: { kind: "Policy", rules: [{ level: "Metadata" }] },
        admissionControl: [
          {
            name: "PodSecurity",
            configuration: { defaults: { enforce: "baseline", warn: "restricted" }, exemptions: { namespaces: ["kube-system"] } },
          },
        ],
      },
    },
  },
  { apiVersion: "v1alpha1", kind: "LinkConfig", name: "lan", mtu: 9000 },
  { apiVersion: "v1alpha1", kind: "TimeSyncConfig", ntp: { servers: ["a"] } },
];
const main = (own: Document) => mergeDocuments(BASE, [own])[0] as any;

describe("in v1alpha1", () => {
  test("maps merge, what is said wins", () =>
    expect(main({ machine: { sysctls: { b: "3", c: "4" } } }).machine.sysctls).toEqual({ a: "1", b: "3", c: "4" }));
  test("lists append", () =>
    expect(main({ machine: { kernel: { modules: [{ name: "nvidia" }] } }, cluster: { apiServer: { certSANs: ["b"] } } })).toMatchObject({
      machine: { kernel: { modules: [{ name: "nbd" }, { name: "nvidia" }] } },
      cluster: { apiServer: { certSANs: ["a", "b"] } },
    }));
  test("false wins over true", () => expect(main({ machine: { install: { wipe: false } } }).machine.install).toEqual({ wipe: false }));
  test("networks and the audit policy are replaced", () => {
    const { cluster } = main({
      cluster: { network: { podSubnets: ["10.99.0.0/16"] }, apiServer: { auditPolicy: { kind: "Policy", rules: [{ level: "None" }] } } },
    });
    expect([cluster.network, cluster.apiServer.auditPolicy]).toEqual([
      { podSubnets: ["10.99.0.0/16"], serviceSubnets: ["10.43.0.0/16"] },
      { kind: "Policy", rules: [{ level: "None" }] },
    ]);
  });
  test("admission plugins are merged by their name", () =>
    expect(
      main({
        cluster: {
          apiServer: {
            admissionControl: [
              { name: "PodSecurity", configuration: { defaults: { enforce: "privileged" }, exemptions: { namespaces: ["media"] } } },
              { name: "Other" },
            ],
          },
        },
      }).cluster.apiServer.admissionControl,
    ).toEqual([
      {
        name: "PodSecurity",
        configuration: { defaults: { enforce: "privileged", warn: "restricted" }, exemptions: { namespaces: ["kube-system", "media"] } },
      },
      { name: "Other" },
    ]));
  test("$patch: delete takes away a map", () =>
    expect(main({ machine: { sysctls: { $patch: "delete" } } }).machine).not.toHaveProperty("sysctls"));
  test("$patch: delete takes away what is chosen from a list", () =>
    expect(main({ machine: { kubelet: { extraMounts: [{ destination: "/x", $patch: "delete" }] } } }).machine.kubelet.extraMounts).toEqual([
      { destination: "/y", source: "/y" },
    ]));
  test("the base stays as it was", () => {
    const before = structuredClone(BASE);
    mergeDocuments(BASE, [{ machine: { sysctls: { a: "9" }, kernel: { modules: [{ name: "x" }] } } }]);
    expect(BASE).toEqual(before);
  });
});

describe("documents", () => {
  test("of the same kind and name are merged", () =>
    expect(mergeDocuments(BASE, [{ apiVersion: "v1alpha1", kind: "LinkConfig", name: "lan", mtu: 1500 }])[1]).toEqual({
      apiVersion: "v1alpha1",
      kind: "LinkConfig",
      name: "lan",
      mtu: 1500,
    }));
  test("of another name are added", () =>
    expect(mergeDocuments(BASE, [{ apiVersion: "v1alpha1", kind: "LinkConfig", name: "wan", mtu: 1500 }]).map(titleOf)).toEqual([
      "v1alpha1",
      "LinkConfig lan",
      "TimeSyncConfig",
      "LinkConfig wan",
    ]));
  test("can be taken away", () =>
    expect(mergeDocuments(BASE, [{ apiVersion: "v1alpha1", kind: "TimeSyncConfig", $patch: "delete" }]).map(titleOf)).toEqual([
      "v1alpha1",
      "LinkConfig lan",
    ]));
  test("that are not there cannot", () =>
    expect(() => mergeDocuments(BASE, [{ apiVersion: "v1alpha1", kind: "SwapVolumeConfig", name: "x", $patch: "delete" }])).toThrow(
      "$patch: delete: there is no document SwapVolumeConfig x",
    ));
});
