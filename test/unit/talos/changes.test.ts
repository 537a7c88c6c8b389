// What a config would change, as people are shown it.
import { afterEach, describe, expect, test } from "vitest";
import { forgetSecrets, hide } from "../../../scripts/lib/redact.ts";
import { changesBetween, foundations, lineOf, needReboot } from "../../../scripts/lib/talos/changes.ts";
import type { Document } from "../../../scripts/lib/talos/merge.ts";

afterEach(forgetSecrets);
const lines = (held: Document[], wanted: Document[]) => changesBetween(held, wanted).map(lineOf);
const machine = (inner: object): Document[] => [{ version: "v1alpha1", machine: inner }];

describe("changes", () => {
  test("of the same config are none", () => expect(lines(machine({ a: [1, { b: "x" }] }), machine({ a: [1, { b: "x" }] }))).toEqual([]));
  test("do not see the order of keys", () => expect(lines(machine({ a: 1, b: 2 }), machine({ b: 2, a: 1 }))).toEqual([]));
  test("show what goes away first, what comes last", () =>
    expect(lines(machine({ sysctls: { "net.b": "1", "net.c": "1" } }), machine({ sysctls: { "net.a": "1", "net.c": "2" } }))).toEqual([
      '- v1alpha1 machine.sysctls.net.b: "1"',
      '~ v1alpha1 machine.sysctls.net.c: "1" → "2"',
      '+ v1alpha1 machine.sysctls.net.a: "1"',
    ]));
  test("tell a number from a text", () => expect(lines(machine({ a: 1 }), machine({ a: "1" }))).toEqual(['~ v1alpha1 machine.a: 1 → "1"']));
  test("tell items of a list by what they are", () =>
    expect(lines(machine({ certSANs: ["a", "b", "c"] }), machine({ certSANs: ["b", "c", "d"] }))).toEqual([
      '- v1alpha1 machine.certSANs: "a"',
      '+ v1alpha1 machine.certSANs: "d"',
    ]));
  test("tell items that have a name by that", () =>
    expect(
      lines(
        machine({ kernel: { modules: [{ name: "a" }, { name: "b", parameters: ["x"] }] } }),
        machine({ kernel: { modules: [{ name: "b", parameters: ["y"] }] } }),
      ),
    ).toEqual([
      '- v1alpha1 machine.kernel.modules[a].name: "a"',
      '- v1alpha1 machine.kernel.modules[b].parameters: "x"',
      '+ v1alpha1 machine.kernel.modules[b].parameters: "y"',
    ]));
  test("see another order", () =>
    expect(lines(machine({ list: ["a", "b"] }), machine({ list: ["b", "a"] }))).toEqual([
      '~ v1alpha1 machine.list (order): "a", "b" → "b", "a"',
    ]));
  test("tell items without a name by their place", () =>
    expect(lines(machine({ list: [{ x: 1 }, { x: 2 }] }), machine({ list: [{ x: 1 }] }))).toEqual(["- v1alpha1 machine.list[1].x: 2"]));
  test("of a file are told by line", () =>
    expect(
      lines(machine({ files: [{ path: "/etc/x", content: "a\nb\n" }] }), machine({ files: [{ path: "/etc/x", content: "a\nc\n" }] })),
    ).toEqual(['- v1alpha1 machine.files[/etc/x].content: "b"', '+ v1alpha1 machine.files[/etc/x].content: "c"']));
  test("name the document", () =>
    expect(lines([{ kind: "LinkConfig", name: "lan", mtu: 1500 }], [{ kind: "LinkConfig", name: "lan", mtu: 9000 }])).toEqual([
      "~ LinkConfig lan mtu: 1500 → 9000",
    ]));
  test("see a document that goes away, and one that comes", () =>
    expect(lines([{ kind: "A", x: 1 }], [{ kind: "B", x: 1 }])).toEqual(['- A kind: "A"', "- A x: 1", '+ B kind: "B"', "+ B x: 1"]));
});

describe("secrets", () => {
  test.each(["token", "secretboxEncryptionSecret", "secret", "password"])("under %s are never shown", (key) =>
    expect(lines(machine({ [key]: "hunter2" }), machine({ [key]: "hunter3" }))).toEqual([
      `~ v1alpha1 machine.${key}: ******** → another ********`,
    ]),
  );
  test("under ca are never shown", () =>
    expect(lines(machine({ ca: { crt: "a", key: "b" } }), machine({ ca: { crt: "c" } }))).toEqual([
      "- v1alpha1 machine.ca.key: ********",
      "~ v1alpha1 machine.ca.crt: ******** → another ********",
    ]));
  test("out of the vault are never shown, wherever they stand, and nor is what they replace", () => {
    hide(["hunter-two"]);
    expect(lines(machine({ env: { PROXY: "old-secret" } }), machine({ env: { PROXY: "http://me:hunter-two@proxy" } }))).toEqual([
      "~ v1alpha1 machine.env.PROXY: ******** → another ********",
    ]);
  });
  test("a key that only sounds like it is shown", () =>
    expect(lines(machine({ tokenizer: 1, topologyKey: "a" }), machine({ tokenizer: 2, topologyKey: "b" }))).toHaveLength(2));
  test("are not in the data for machines either", () =>
    expect(JSON.stringify(changesBetween(machine({ token: "hunter2" }), machine({ token: "hunter3" })))).not.toContain("hunter"));
});

describe("a reboot is needed", () => {
  const needs = (path: string) => {
    const nest = (value: unknown) => path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
    return needReboot(changesBetween([{ version: "v1alpha1", ...nest("a") }], [{ version: "v1alpha1", ...nest("b") }])).length > 0;
  };
  test.each([
    "machine.files",
    "machine.udev",
    "machine.type",
    "machine.token",
    "machine.features.diskQuotaSupport",
    "machine.baseRuntimeSpecOverrides",
    "machine.env",
    "machine.kubeletX",
    "persist",
  ])("for %s", (path) => expect(needs(path)).toBe(true));
  test.each([
    "debug",
    "cluster.apiServer.image",
    "machine.ca.crt",
    "machine.certSANs",
    "machine.install.image",
    "machine.sysctls.x",
    "machine.controlPlane.scheduler",
    "machine.kubelet.image",
    "machine.kernel.modules",
    "machine.nodeLabels.x",
    "machine.features.kubePrism.port",
    "machine.features.hostDNS",
    "machine.features.kubernetesTalosAPIAccess.enabled",
    "machine.registries.mirrors",
  ])("not for %s", (path) => expect(needs(path)).toBe(false));
  test("not for the order of a live list", () =>
    expect(needReboot(changesBetween(machine({ certSANs: ["a", "b"] }), machine({ certSANs: ["b", "a"] })))).toEqual([]));
  test("never for a document of its own", () =>
    expect(needReboot(changesBetween([{ kind: "LinkConfig", name: "lan", mtu: 1 }], []))).toEqual([]));
});

test("what a cluster was built with is named, each once", () => {
  const change = (path: string, document = "v1alpha1") => ({ document, path, before: "a", after: "b" });
  expect(
    foundations([
      change("cluster.network.podSubnets.0"),
      change("cluster.network.podSubnets.1"),
      change("cluster.clusterName"),
      change("machine.sysctls.x"),
      change("cluster.id", "LinkConfig lan"),
    ]),
  ).toEqual(["cluster.clusterName", "cluster.network.podSubnets"]);
});
