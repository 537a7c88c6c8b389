// What a config would change, as people are shown it.
import { afterEach, describe, expect, test } from "vitest";
import { forgetSecrets, hide } from "../../../scripts/lib/run/redact.ts";
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
  test("of a text are shown by line", () =>
    expect(lines(machine({ udev: { rules: "a\nb\n" } }), machine({ udev: { rules: "a\nc\n" } }))).toEqual([
      '- v1alpha1 machine.udev.rules: "b"',
      '+ v1alpha1 machine.udev.rules: "c"',
    ]));
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
    hide(["hunter-example"]);
    expect(lines(machine({ env: { PROXY: "old-secret" } }), machine({ env: { PROXY: "http://me:hunter-example@proxy" } }))).toEqual([
      "~ v1alpha1 machine.env.PROXY: ******** → another ********",
    ]);
  });
  const SECRET = "hunter-2-hunter-2";
  /** A document with the same value at the end of a path; `[]` is a list of one. */
  const at = (kind: string, path: string, value: unknown): Document[] => {
    const inner = path.split(".").reduceRight<unknown>((rest, key) => (key === "[]" ? [rest] : { [key]: rest }), value);
    return [kind === "v1alpha1" ? { version: "v1alpha1", ...(inner as object) } : { kind, name: "x", ...(inner as object) }];
  };
  test.each([
    ["v1alpha1", "machine.network.interfaces.[].wireguard.privateKey"],
    ["v1alpha1", "machine.network.interfaces.[].vip.hcloud.apiToken"],
    ["v1alpha1", "machine.systemDiskEncryption.ephemeral.keys.[].static.passphrase"],
    ["v1alpha1", "machine.registries.config.ghcr.io.auth.password"],
    ["v1alpha1", "machine.registries.config.ghcr.io.auth.username"],
    ["v1alpha1", "machine.registries.config.ghcr.io.tls.clientIdentity.key"],
    ["v1alpha1", "machine.env.TS_AUTHKEY"],
    ["v1alpha1", "machine.files.[].content"],
    ["v1alpha1", "machine.pods.[].spec.containers.[].env.[].value"],
    ["v1alpha1", "machine.kubelet.credentialProviderConfig.providers.[].args.[]"],
    ["v1alpha1", "machine.kubelet.extraArgs.bearer-token"],
    ["v1alpha1", "cluster.apiServer.extraArgs.oidc-client-secret"],
    ["v1alpha1", "cluster.apiServer.env.SOME_NAME"],
    ["v1alpha1", "cluster.inlineManifests.[].contents"],
    ["v1alpha1", "cluster.extraManifestHeaders.Authorization"],
    ["v1alpha1", "cluster.serviceAccount.key"],
    ["v1alpha1", "cluster.aescbcEncryptionSecret"],
    ["ExtensionServiceConfig", "environment.[]"],
    ["ExtensionServiceConfig", "configFiles.[].content"],
    ["ContainerConfig", "environment.[]"],
    ["ContainerConfig", "args.[]"],
    ["CRICustomizationConfig", "content"],
    ["EnvironmentConfig", "variables.SOME_NAME"],
    ["EtcFileConfig", "contents"],
    ["HCloudVIPConfig", "apiToken"],
    ["KubeAuthenticationConfig", "configuration.jwt.[].issuer.clientSecret"],
    ["KubeCredentialProviderConfig", "configuration.providers.[].env.[].value"],
    ["KubeEtcdEncryptionConfig", "config.resources.[].providers.[].secretbox.keys.[].secret"],
    ["KubeExternalManifestConfig", "headers.Authorization"],
    ["KubeInlineManifestConfig", "manifest"],
    ["KubeServiceAccountConfig", "issuer.privateKey"],
    ["KubeStaticPodConfig", "pod.spec.containers.[].env.[].value"],
    ["RegistryAuthConfig", "identityToken"],
    ["RegistryTLSConfig", "clientIdentity.key"],
    ["SideroLinkConfig", "uniqueToken"],
    ["VolumeConfig", "encryption.keys.[].static.passphrase"],
    ["WireguardConfig", "peers.[].presharedKey"],
    ["KindOfTomorrow", "deep.[].environment.[]"],
    ["KindOfTomorrow", "deep.joinToken"],
  ])("%s %s is hidden when it comes, changes and goes", (kind, path) => {
    const [old, wanted] = [at(kind, path, `old ${SECRET}`), at(kind, path, `TS_AUTHKEY=${SECRET}\nsecond line ${SECRET}`)];
    for (const shown of [lines([], wanted), lines(old, wanted), lines(old, []), [JSON.stringify(changesBetween(old, wanted))]]) {
      expect(shown.join("\n")).toContain("********");
      expect(shown.join("\n")).not.toContain("hunter");
    }
  });
  test.each([
    ["a password of a proxy", { env: { https_proxy: "http://me:ex@mple/example@proxy:3128" } }, '"http://me:********@proxy:3128"'],
    ["a password of a proxy without a scheme", { env: { HTTP_PROXY: "me:hunter2@proxy:3128" } }, '"me:********@proxy:3128"'],
    ["a token in place of a name", { x: "https://hunter2@host/path" }, '"https://********@host/path"'],
    ["a token in a query", { apiUrl: "https://siderolink.lan/?jointoken=hunter2&x=1" }, '"https://siderolink.lan/?jointoken=********&x=1"'],
    [
      "a kernel argument",
      { install: { extraKernelArgs: "talos.config.oauth.client_secret=hunter2 quiet" } },
      '"talos.config.oauth.client_secret=******** quiet"',
    ],
  ])("%s is hidden and the rest is shown", (_, inner, seen) => {
    expect(lines(machine({}), machine(inner)).join()).toContain(seen);
    expect(lines(machine(inner), machine({})).join()).not.toContain("hunter");
  });
  test("that differ only in what is hidden are shown as different", () =>
    expect(lines(machine({ x: "http://me:hunter2@proxy" }), machine({ x: "http://me:hunter3-example@proxy" }))).toEqual([
      '~ v1alpha1 machine.x: "http://me:********@proxy" → another "http://me:********@proxy"',
    ]));
  test("that stand in a text anywhere hide the whole of it", () => {
    const key = `-----BEGIN ${["PRIVATE", "KEY"].join(" ")}-----\n${"A".repeat(64)}\n-----END`;
    expect(lines(machine({}), machine({ udev: { rules: `first\n${key}\n` } }))).toEqual(["+ v1alpha1 machine.udev.rules: ********"]);
  });
  test("in an environment are hidden, the names are shown", () =>
    expect(
      lines(
        [{ kind: "ExtensionServiceConfig", name: "ts", environment: ["A=1", "B=2"] }],
        [{ kind: "ExtensionServiceConfig", name: "ts", environment: ["A=1", "B=3"] }],
      ),
    ).toEqual(['- ExtensionServiceConfig ts environment: "B=********"', '+ ExtensionServiceConfig ts environment: "B=********"']));
  test.each([
    ["machine.env.no_proxy", "10.0.0.0/8,.lan"],
    ["cluster.apiServer.extraArgs.service-account-key-file", "/etc/keys"],
    ["cluster.apiServer.extraArgs.anonymous-auth", "false"],
    ["cluster.apiServer.extraArgs.oidc-client-id", "kubernetes"],
    ["cluster.apiServer.auditPolicy.rules.[].resources.[].resources.[]", "secrets"],
    ["machine.network.interfaces.[].wireguard.peers.[].publicKey", "abc"],
    ["machine.install.image", "factory.talos.dev/installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.13.9"],
    ["machine.kubelet.image", "busybox:1.2@sha256:376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"],
  ])("are not %s", (path, value) => expect(lines([], at("v1alpha1", path, value)).join("\n")).toContain(JSON.stringify(value)));
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
