// The stand-in for talosctl and the machines behind it: from a VM that is started to a member of etcd, with the texts of the real one (v1.13.9).
import { beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { talosctl } from "../../simulators/cli/talosctl/talosctl.ts";
import { apiServerOf } from "../../simulators/world/cluster/kubeconfig.ts";
import type { VmView } from "../../simulators/world/life.ts";
import { apiServerUp, clusterOf, kubelets } from "../../simulators/world/talos/machines.ts";
import { fingerprintOf } from "../../simulators/wire/talos/certificate.ts";
import { play, type TestWorld, testWorld } from "./test-world.ts";

const EMPTY = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const A = "192.168.122.16";
const B = "192.168.122.17";
const disk = (name: string) => ({ path: `flashstor/VM/${name}`, id: name, bytes: 500e9 });
const vm = (name: string, mac: string): VmView => ({
  name,
  running: true,
  mac,
  bus: "vd",
  disks: [disk(`${name}-boot`), disk(`${name}-data`)],
  iso: { talos: "v1.13.9", schematic: EMPTY, platform: "metal" },
});

let world: TestWorld;
/** Files that commands read and write. */
let files: Record<string, string>;
const talos = (...argv: string[]) => play(talosctl, world, argv, { files, env: { HOME: "/home/op", TALOSCONFIG: "/home/op/talosconfig" } });

const secrets: Record<string, any> = parse((await play(talosctl, testWorld(), ["gen", "secrets", "--output-file", "-"])).out);
const talosconfig: Record<string, any> = parse(
  (
    await play(
      talosctl,
      testWorld(),
      ["gen", "config", "home", "https://192.168.120.100:6443", "--with-secrets", "/s", "--output-types", "talosconfig", "--output", "-"],
      { files: { "/s": stringify(secrets) } },
    )
  ).out,
);
const admin = (endpoints = [A, B]) => stringify({ ...talosconfig, contexts: { home: { ...talosconfig.contexts.home, endpoints } } });

function config(hostname: string, change: { disk?: string; image?: string; machine?: object } = {}): string {
  const { certs, cluster } = secrets as any;
  return [
    stringify({
      version: "v1alpha1",
      machine: {
        type: "controlplane",
        token: "a.b",
        ca: certs.os,
        kubelet: { image: "ghcr.io/siderolabs/kubelet:v1.36.5" },
        install: { disk: change.disk ?? "/dev/vda", image: change.image ?? `factory.talos.dev/metal-installer/${EMPTY}:v1.13.9` },
        network: { interfaces: [{ dhcp: true, vip: { ip: "192.168.120.100" } }] },
        ...change.machine,
      },
      cluster: {
        id: cluster.id,
        secret: cluster.secret,
        clusterName: "home",
        controlPlane: { endpoint: "https://192.168.120.100:6443" },
        ca: certs.k8s,
      },
    }),
    stringify({ apiVersion: "v1alpha1", kind: "HostnameConfig", hostname }),
  ].join("---\n");
}

beforeEach(() => {
  world = testWorld();
  files = { "/home/op/talosconfig": admin() };
  world.vms = [vm("k8s_0", "00:a0:98:00:00:10"), vm("k8s_1", "00:a0:98:00:00:11")];
});

async function install(address: string, name: string, change = {}) {
  files["/c"] = config(name, change);
  const applied = await talos("apply-config", "--insecure", "--nodes", address, "--file", "/c");
  world.pass(600);
  return applied;
}

async function bootstrapped() {
  world.pass(400);
  await install(A, "k8s-0");
  await install(B, "k8s-1");
  const said = await talos("bootstrap", "--nodes", A);
  world.pass(1500);
  return said;
}

describe("a machine", () => {
  test("that was just started has no route, then answers in maintenance", async () => {
    world.pass(10);
    expect((await talos("version", "--insecure", "--nodes", A)).err).toBe(
      `error getting version: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${A}:50000: connect: no route to host"\n`,
    );
    world.pass(400);
    expect(await talos("version", "--insecure", "--nodes", A)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Server:\n\tNODE:        ${A}\n\tTag:         v1.13.9\n`),
    });
    expect((await talos("version", "--nodes", A)).err).toContain(
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    );
  });
  test("is talked to only by whoever names its certificate, or names none", async () => {
    world.pass(400);
    files["/c"] = config("k8s-0");
    const apply = (fingerprint: string) =>
      talos("apply-config", "--insecure", "--nodes", A, "--cert-fingerprint", fingerprint, "--file", "/c");
    const [a, b] = Object.values(world.state.machines).map((machine) => fingerprintOf(world, machine));
    expect(await apply(b!)).toEqual({
      code: 1,
      out: "",
      err: `error applying new configuration: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: leaf peer certificate doesn't match the provided fingerprints: [${b!}]"\n`,
    });
    expect(Object.values(world.state.machines)[0]!.stage).toBe("maintenance");
    expect((await apply(a!)).code).toBe(0);
    expect((await apply("no base64")).code).toBe(70);
  });
  test("is installed by its config and then wants a certificate", async () => {
    world.pass(400);
    expect(await install(A, "k8s-0")).toEqual({ code: 0, out: "", err: "Applied configuration without a reboot\n" });
    expect((await talos("version", "--insecure", "--nodes", A)).err).toBe(
      'error getting version: rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: remote error: tls: certificate required"\n',
    );
    expect(await talos("version", "--nodes", A)).toMatchObject({ code: 0, out: expect.stringContaining("\tEnabled:     RBAC\n") });
    expect(JSON.parse((await talos("get", "machinestatus", "--nodes", A, "--output", "json")).out).spec).toEqual({
      stage: "booting",
      status: { ready: false, unmetConditions: [{ name: "services", reason: "etcd not running" }] },
    });
  });
  test.each([
    [{ disk: "/dev/sda" }, "failed to install: failed to open /dev/sda: no such file or directory"],
    [
      { image: `factory.talos.dev/metal-installer/${"0".repeat(64)}:v1.13.9` },
      `failed to install: failed to pull image "factory.talos.dev/metal-installer/${"0".repeat(64)}:v1.13.9": not found`,
    ],
    [
      { image: `factory.talos.dev/metal-installer/${EMPTY}:v1.99.0` },
      `failed to install: failed to pull image "factory.talos.dev/metal-installer/${EMPTY}:v1.99.0": not found`,
    ],
  ])("that cannot install by %o is in maintenance again, and its console says why", async (change, complaint) => {
    world.pass(400);
    expect((await install(A, "k8s-0", change)).code).toBe(0);
    expect(Object.values(world.state.machines)[0]).toMatchObject({ stage: "maintenance", complaint });
  });
  test("keeps what is on its disk while its VM is off, and loses it with the disk", async () => {
    world.pass(400);
    await install(A, "k8s-0");
    const [first, second] = world.vms as [VmView, VmView];
    world.vms = [{ ...first, running: false }, second];
    world.pass(50);
    world.vms = [first, second];
    world.pass(400);
    expect(world.state.machines["00:a0:98:00:00:10"]).toMatchObject({ stage: "running" });
    world.vms = [{ ...first, running: false }, second];
    world.pass(50);
    world.vms = [{ ...first, disks: [{ ...first.disks[0]!, id: "made anew" }] }, second];
    world.pass(400);
    expect(world.state.machines["00:a0:98:00:00:10"]).toMatchObject({ stage: "maintenance" });
  });
  test("without anything to boot from is dead", () => {
    world.vms = [{ ...world.vms[0]!, iso: undefined }];
    world.pass(400);
    expect(world.state.machines["00:a0:98:00:00:10"]?.stage).toBe("dead");
  });
  test("changes nothing when nothing is due", async () => {
    await bootstrapped();
    const before = [JSON.stringify(world.state), world.changes.length];
    world.pass(5000);
    await talos("get", "members", "--nodes", `${A},${B}`, "--output", "yaml");
    expect([JSON.stringify(world.state), world.changes.length]).toEqual(before);
  });
});

describe("apply-config", () => {
  test.each([
    ["machine: [", "rpc error: code = InvalidArgument desc = decode error: yaml: "],
    [
      "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n",
      "desc = the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?",
    ],
    [
      "apiVersion: v1alpha1\nkind: Nonsense\n",
      `desc = error decoding document v1alpha1/Nonsense/ (line 1): "Nonsense" "v1alpha1": not registered`,
    ],
  ])("refuses %j", async (text, message) => {
    world.pass(400);
    files["/c"] = text;
    const said = await talos("apply-config", "--insecure", "--nodes", A, "--file", "/c");
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(said.err).toMatch(/^error applying new configuration: /);
    expect(world.changes.filter((change) => change.startsWith("product"))).toEqual([]);
  });
  test("in a dry run shows the diff and changes nothing", async () => {
    await bootstrapped();
    const before = JSON.stringify(world.state);
    files["/c"] = config("k8s-0", { machine: { sysctls: { "vm.nr_hugepages": "1024" } } });
    const said = await talos("apply-config", "--nodes", A, "--file", "/c", "--dry-run");
    expect(said).toMatchObject({
      code: 0,
      out: "",
      err: expect.stringMatching(
        /^Dry run summary:\nApplied configuration without a reboot \(skipped in dry-run\)\.\nConfig diff:\n\n--- a\n\+\+\+ b\n@@ [^\n]+\n[^]*\+ +vm\.nr_hugepages: "1024"\n/,
      ),
    });
    files["/c"] = config("k8s-0");
    expect((await talos("apply-config", "--nodes", A, "--file", "/c", "--dry-run")).err).toContain("Config diff:\n\nNo changes.\n");
    expect(JSON.stringify(world.state)).toBe(before);
  });
  test("takes what is live at once, reboots for what is not, and stages when told to", async () => {
    await bootstrapped();
    const apply = async (machine: object, mode = "auto") => {
      files["/c"] = config("k8s-0", { machine });
      return talos("apply-config", "--nodes", A, "--file", "/c", "--mode", mode);
    };
    const held = () =>
      (world.state.machines["00:a0:98:00:00:10"]!.config!.active.match(/^ {4}(disableSeccomp|sysctls|systemDiskEncryption)/gm) ?? [])
        .length;
    expect((await apply({ sysctls: { a: "1" } })).err).toBe("Applied configuration without a reboot\n");
    const encrypted = { systemDiskEncryption: { ephemeral: { provider: "luks2" } } };
    expect((await apply(encrypted, "no-reboot")).err).toContain("desc = this config change can't be applied in immediate mode\ndiff:\n");
    expect((await apply(encrypted, "staged")).err).toBe("Staged configuration to be applied after the next reboot\n");
    expect(held()).toBe(0);
    expect((await apply(encrypted)).err).toMatch(
      /^Applied configuration with a reboot: this config change can't be applied in immediate mode\ndiff:\n--- a\n/,
    );
    expect(world.state.machines["00:a0:98:00:00:10"]?.stage).toBe("rebooting");
    expect((await talos("version", "--nodes", A)).err).toContain(
      `1 error occurred:\n\t* ${A}: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${A}:50000: connect: connection refused"`,
    );
    world.pass(400);
    expect(world.state.machines["00:a0:98:00:00:10"]?.stage).toBe("running");
  });
  test("a config that is only tried gives way to the one that is kept", async () => {
    await bootstrapped();
    files["/c"] = config("k8s-0", { machine: { sysctls: { a: "1" } } });
    expect((await talos("apply-config", "--nodes", A, "--file", "/c", "--mode", "try")).err).toContain(
      "will be automatically reverted back in 1m0s\n",
    );
    const held = async (id: string) =>
      (await talos("get", "machineconfig", id, "--nodes", A, "--output", "jsonpath={.spec}")).out.includes("sysctls");
    expect([await held("v1alpha1"), await held("persistent")]).toEqual([true, false]);
    world.pass(60_100);
    expect(await held("v1alpha1")).toBe(false);
  });
  test("needs a file with something in it", async () => {
    files["/empty"] = "";
    expect((await talos("apply-config", "--nodes", A)).err).toBe("no filename supplied for configuration\n");
    expect((await talos("apply-config", "--nodes", A, "--file", "/nope")).err).toBe(
      'failed to read configuration from "/nope": open /nope: no such file or directory\n',
    );
    expect((await talos("apply-config", "--nodes", A, "--file", "/empty")).err).toBe("no configuration data read\n");
  });
});

describe("etcd", () => {
  test("is bootstrapped once, and the others join one after the other", async () => {
    expect(await bootstrapped()).toEqual({ code: 0, out: "", err: "" });
    expect((await talos("bootstrap", "--nodes", A)).err).toBe(
      `error executing bootstrap: 1 error occurred:\n\t* ${A}: rpc error: code = AlreadyExists desc = etcd data directory is not empty\n\n\n`,
    );
    const members = (await talos("etcd", "members", "--nodes", A)).out
      .trim()
      .split("\n")
      .map((line) => line.split(/\s{2,}/));
    expect(members.map((row) => [row[0], row[2], row[3], row[5]])).toEqual([
      ["NODE", "HOSTNAME", "PEER URLS", "LEARNER"],
      [A, "k8s-0", `https://${A}:2380`, "false"],
      [A, "k8s-1", `https://${B}:2380`, "false"],
    ]);
  });
  test("before it is there refuses", async () => {
    world.pass(400);
    expect((await talos("bootstrap", "--nodes", A)).err).toContain("certificate signed by unknown authority");
    await install(A, "k8s-0");
    expect((await talos("etcd", "members", "--nodes", A)).err).toContain("error getting members: ");
    expect((await talos("bootstrap", "--nodes", `${A},${B}`)).err).toBe('command "bootstrap" is not supported with multiple nodes\n');
  });
  test("waits for the clock", async () => {
    world.change("world", "", ({ faults }) => void (faults["time-not-in-sync"] = 1));
    world.pass(400);
    await install(A, "k8s-0");
    expect((await talos("bootstrap", "--nodes", A)).err).toContain("code = FailedPrecondition desc = time is not in sync yet");
    expect(JSON.parse((await talos("get", "timestatus", "--nodes", A, "--output", "json")).out).spec.synced).toBe(false);
    world.pass(1000);
    expect((await talos("bootstrap", "--nodes", A)).code).toBe(0);
  });
  test("keeps a learner for a while", async () => {
    world.change("world", "", ({ faults }) => void (faults["etcd-learner"] = 1));
    world.pass(400);
    await install(A, "k8s-0");
    await install(B, "k8s-1");
    await talos("bootstrap", "--nodes", A);
    world.pass(900);
    const learners = async () => (await talos("etcd", "members", "--nodes", A)).out.match(/true$/gm)?.length ?? 0;
    expect(await learners()).toBe(1);
    world.pass(1600);
    expect(await learners()).toBe(0);
  });
  test("bootstrapped on a second node makes a second cluster: nothing stops it", async () => {
    world.pass(400);
    await install(A, "k8s-0");
    await install(B, "k8s-1");
    expect([(await talos("bootstrap", "--nodes", A)).code, (await talos("bootstrap", "--nodes", B)).code]).toEqual([0, 0]);
    expect(new Set(Object.values(world.state.machines).map(({ etcd }) => etcd?.cluster)).size).toBe(2);
  });
});

describe("faults", () => {
  test("a node that stays away comes back once the fault is gone", async () => {
    world.change("world", "", ({ faults }) => void (faults["node-stays-away"] = 1e9));
    world.pass(400);
    await install(A, "k8s-0");
    await install(B, "k8s-1");
    expect(Object.values(world.state.machines).map(({ stage }) => stage)).toEqual(["away", "running"]);
    world.change("world", "", ({ faults }) => void delete faults["node-stays-away"]);
    world.pass(500);
    expect(Object.values(world.state.machines).map(({ stage }) => stage)).toEqual(["running", "running"]);
  });
  test("a slow node is slow once", () => {
    world.change("world", "", ({ faults }) => void (faults["node-slow"] = 1));
    world.pass(400);
    expect(Object.values(world.state.machines).map(({ stage }) => stage)).toEqual(["booting", "maintenance"]);
    world.pass(3000);
    expect(Object.values(world.state.machines).map(({ stage }) => stage)).toEqual(["maintenance", "maintenance"]);
  });
});

describe("the API server", () => {
  const kubeconfig = async () => (await talos("kubeconfig", "-", "--nodes", A)).out;
  test("takes the kubeconfig that a control plane gives", async () => {
    await bootstrapped();
    expect(apiServerUp(world)).toBe(true);
    expect(apiServerOf(world, await kubeconfig())).toEqual({ ok: true });
    expect(clusterOf(world.state)).toMatchObject({
      name: "home",
      endpoint: "https://192.168.120.100:6443",
      bootstrapped: true,
      podSubnets: ["10.244.0.0/16"],
    });
    expect(kubelets(world)).toMatchObject([
      { name: "k8s-0", address: A, kubelet: "v1.36.5", talos: "v1.13.9", controlPlane: true },
      { name: "k8s-1" },
    ]);
  });
  test("refuses a connection before etcd is there, and when it flaps", async () => {
    world.pass(400);
    await install(A, "k8s-0");
    const text = await kubeconfig();
    const refused = { error: "The connection to the server 192.168.120.100:6443 was refused - did you specify the right host or port?" };
    expect(apiServerOf(world, text)).toEqual(refused);
    await talos("bootstrap", "--nodes", A);
    world.pass(1000);
    world.change("world", "", ({ faults }) => void (faults["api-server-flaps"] = 1));
    expect([apiServerOf(world, text), apiServerOf(world, text)]).toEqual([refused, { ok: true }]);
  });
  test("tells kubeconfigs of others", async () => {
    await bootstrapped();
    const own = parse(await kubeconfig()) as any;
    expect(apiServerOf(world, "")).toEqual({
      error: "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
    });
    const foreign = structuredClone(own);
    foreign.clusters[0].cluster["certificate-authority-data"] = secrets.certs.etcd.crt;
    expect(apiServerOf(world, stringify(foreign))).toEqual({
      error: "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
    });
    const elsewhere = structuredClone(own);
    elsewhere.clusters[0].cluster.server = "https://192.168.9.9:6443";
    expect(apiServerOf(world, stringify(elsewhere))).toEqual({
      error: "Unable to connect to the server: dial tcp 192.168.9.9:6443: connect: no route to host",
    });
    const other = structuredClone(own);
    other.users[0].user["client-certificate-data"] = secrets.certs.etcd.crt;
    expect(apiServerOf(world, stringify(other))).toEqual({ error: "error: You must be logged in to the server (Unauthorized)" });
  });
});

describe("the client", () => {
  test("makes the file that --talosconfig names when it is not there, as the real one does", async () => {
    expect((await talos("--talosconfig", "/new", "config", "info", "--output", "json")).err).toBe("no context is set\n");
    expect(files["/new"]).toBe('context: ""\ncontexts: {}\n');
    expect((await talos("--talosconfig", "/new2", "version", "--nodes", A)).err).toBe(
      "error constructing client: failed to determine endpoints\n",
    );
    expect((await talos("--talosconfig", "/new3", "-e", A, "version", "-n", A)).err).toBe(
      "error constructing client: failed to create client connection: failed to resolve configuration context: talos config file is empty\n",
    );
  });
  test("says which cluster's certificates it does not trust", async () => {
    await bootstrapped();
    const others: Record<string, any> = parse((await play(talosctl, testWorld(), ["gen", "secrets", "-o", "-"])).out);
    const foreign = structuredClone(talosconfig);
    foreign.contexts.home.ca = others.certs.os.crt;
    files["/foreign"] = stringify(foreign);
    expect((await talos("--talosconfig", "/foreign", "-e", A, "-n", A, "version")).err).toContain(
      'certificate signed by unknown authority (possibly because of \\"x509: Ed25519 verification failure\\"',
    );
  });
  test("needs nodes", async () =>
    expect((await talos("etcd", "members")).err).toMatch(/^nodes are not set for the command: please use `--nodes` flag/));
  test("an endpoint that is down does not matter while another answers; a node that is down does", async () => {
    await bootstrapped();
    world.vms = [{ ...world.vms[0]!, running: false }, world.vms[1]!];
    world.pass(50);
    const said = await talos("version", "--nodes", `${A},${B}`);
    expect(said).toMatchObject({
      code: 0,
      out: expect.stringContaining(`\tNODE:        ${B}\n`),
      err: expect.stringContaining(`WARNING: 1 error occurred:\n\t* ${A}: rpc error: code = Unavailable`),
    });
  });
  test("refuses what it was not taught", async () => {
    expect((await talos("dashboard")).code).toBe(70);
    expect(await talos("get", "links", "--nodes", A, "--insecure")).toMatchObject({ code: expect.any(Number) });
    expect((await talos("version", "--foo")).code).toBe(70);
  });
});

describe("offline", () => {
  test("config info tells the roles and the end of the certificate", async () => {
    files["/t"] = stringify(talosconfig);
    expect(JSON.parse((await talos("--talosconfig", "/t", "config", "info", "--output", "json")).out)).toMatchObject({
      context: "home",
      nodes: null,
      endpoints: [],
      roles: ["os:admin"],
      certTTL: "1 year from now",
      certNotAfter: "2027-06-01",
    });
  });
  test("secrets have Talos' own form, and an existing file is not overwritten", async () => {
    expect(Object.keys(secrets)).toEqual(["cluster", "secrets", "trustdinfo", "certs"]);
    expect(secrets.secrets.bootstraptoken).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(Buffer.from(secrets.certs.os.key, "base64").toString()).toMatch(/^-----BEGIN ED25519 PRIVATE KEY-----/);
    files["secrets.yaml"] = "x";
    expect((await talos("gen", "secrets")).err).toBe('file "secrets.yaml" already exists, use --force to overwrite\n');
  });
  test("validate", async () => {
    files["/good"] = config("k8s-0");
    files["/bad"] = config("k8s-0").replace("disk: /dev/vda", "wipe: false");
    files["/unknown"] = config("k8s-0", { machine: { foo: "bar" } });
    expect(await talos("validate", "--mode", "metal", "--config", "/good")).toEqual({
      code: 0,
      out: "/good is valid for metal mode\n",
      err: "",
    });
    expect((await talos("validate", "-m", "metal", "-c", "/bad")).err).toBe(
      "1 error occurred:\n\t* v1alpha1.Config: 1 error occurred:\n\t* either install disk or diskSelector should be defined\n\n\n\n\n",
    );
    expect((await talos("validate", "-m", "metal", "-c", "/unknown")).err).toBe(
      "error decoding document /v1alpha1/ (line 1): unknown keys found during decoding:\nmachine:\n    foo: bar\n\n",
    );
    expect((await talos("validate", "-m", "metal", "-c", "/nope")).err).toBe("open /nope: no such file or directory\n");
  });
});
