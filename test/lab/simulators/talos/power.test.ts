// What takes a node down and what it boots afterwards, who leads etcd meanwhile, and the faults of it: the world and the stand-in, on a clock that the test moves.
import { beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { talosctl } from "../../../simulators/cli/talosctl/talosctl.ts";
import { leaderOf, membersOf } from "../../../simulators/world/talos/etcd.ts";
import type { Fault } from "../../../simulators/world/faults.ts";
import { hostnameOf, pendingUntil } from "../../../simulators/world/talos/machines.ts";
import { boot } from "../../../simulators/world/talos/power.ts";
import { play, type TestWorld, testWorld } from "../test-world.ts";

const EMPTY = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const NODES = ["192.168.122.16", "192.168.122.17", "192.168.122.18"];
const [A, B, C] = NODES as [string, string, string];
const MACS = ["00:a0:98:00:00:10", "00:a0:98:00:00:11", "00:a0:98:00:00:12"];
const image = (version: string) => `factory.talos.dev/metal-installer/${EMPTY}:${version}`;

const secrets = parse((await play(talosctl, testWorld(), ["gen", "secrets", "--output-file", "-"])).out) as Record<string, any>;
const generated = [
  "gen",
  "config",
  "home",
  "https://192.168.120.100:6443",
  "--with-secrets",
  "/s",
  "--output-types",
  "talosconfig",
  "-o",
  "-",
];
const talosconfig = parse((await play(talosctl, testWorld(), generated, { files: { "/s": stringify(secrets) } })).out) as Record<
  string,
  any
>;
talosconfig.contexts.home.endpoints = NODES;

let world: TestWorld;
let files: Record<string, string>;
const talos = (...argv: string[]) => play(talosctl, world, argv, { files, env: { HOME: "/home/op", TALOSCONFIG: "/t" } });
const machine = (node: string) => world.state.machines[MACS[NODES.indexOf(node)]!]!;
const fault = (name: Fault, times = 1) => world.change("world", "", ({ faults }) => void (faults[name] = times));

function config(hostname: string): string {
  const { certs, cluster } = secrets;
  const install = { disk: "/dev/vda", image: image("v1.13.9") };
  const main = {
    version: "v1alpha1",
    machine: { type: "controlplane", token: "a.b", ca: certs.os, kubelet: { image: "ghcr.io/siderolabs/kubelet:v1.36.5" }, install },
    cluster: { id: cluster.id, clusterName: "home", controlPlane: { endpoint: "https://192.168.120.100:6443" }, ca: certs.k8s },
  };
  return `${stringify(main)}---\n${stringify({ apiVersion: "v1alpha1", kind: "HostnameConfig", hostname })}`;
}

beforeEach(async () => {
  world = testWorld();
  files = { "/t": stringify(talosconfig) };
  world.vms = NODES.map((_, index) => ({
    name: `k8s_${index}`,
    running: true,
    mac: MACS[index]!,
    bus: "vd",
    disks: ["boot", "data"].map((part) => ({ path: `flashstor/VM/${part}-${index}`, id: `${part}-${index}`, bytes: 500e9 })),
    iso: { talos: "v1.13.9", schematic: EMPTY, platform: "metal" },
  }));
  world.pass(400);
  for (const [index, node] of NODES.entries()) {
    files["/c"] = config(`k8s-${index}`);
    await talos("apply-config", "--insecure", "-n", node, "-f", "/c");
  }
  world.pass(600);
  await talos("bootstrap", "-n", A);
  world.pass(2000);
});

const down = async (...argv: string[]) => {
  const said = await talos(...argv, "--wait=false");
  world.pass(550); // services have stopped, the machine boots again
  return said;
};

describe("a reboot", () => {
  test("takes the node away for a while and gives it another boot id, and etcd another leader", async () => {
    const before = machine(A).bootId;
    expect(leaderOf(world, machine(B)).id).toBe(machine(A).etcd!.id);
    expect(await down("reboot", "-n", A)).toEqual({ code: 0, out: "", err: "" });
    expect(machine(A).stage).toBe("rebooting");
    expect(leaderOf(world, machine(B))).toEqual({ id: machine(B).etcd!.id, term: 2 });
    world.pass(400);
    expect(machine(A)).toMatchObject({ stage: "running" });
    expect(machine(A).bootId).not.toBe(before);
    const { spec } = JSON.parse((await talos("get", "machinestatus", "-n", A, "-o", "json")).out);
    expect(spec).toMatchObject({ stage: "booting", status: { ready: false } });
    expect(leaderOf(world, machine(A)).id).toBe(machine(B).etcd!.id);
  });
  test("counts as under way until the node calls itself ready", async () => {
    await down("reboot", "-n", B);
    expect(pendingUntil(world.state)).toBeGreaterThan(world.now());
    world.pass(400);
    expect(pendingUntil(world.state)).toBe(machine(B).readyFrom);
    world.pass(2000);
    expect(pendingUntil(world.state)).toBeLessThanOrEqual(world.now());
  });
  test("of a node that is away says so", async () => {
    world.vms = world.vms.map((vm, index) => ({ ...vm, running: index !== 2 }));
    world.pass(50);
    expect((await talos("reboot", "-n", C, "--wait=false")).err).toContain(
      "error executing reboot: 1 error occurred:\n\t* 192.168.122.18: ",
    );
  });
});

test("a shutdown ends with the VM off", async () => {
  await down("shutdown", "-n", C);
  expect([machine(C).stage, world.vms[2]!.running]).toEqual(["off", false]);
});

describe("a reset", () => {
  test("of everything leaves nothing on the disk and powers off", async () => {
    await down("reset", "-n", C, "--graceful=false");
    expect(machine(C)).not.toHaveProperty("installed");
    expect(machine(C)).not.toHaveProperty("config");
    expect([machine(C).stage, machine(C).etcd]).toEqual(["off", undefined]);
  });
  test("of what it runs by brings the installed system to maintenance", async () => {
    await down("reset", "-n", C, "--system-labels-to-wipe", "STATE,EPHEMERAL", "--reboot", "--graceful=false");
    world.pass(400);
    expect(machine(C)).toMatchObject({ stage: "maintenance", installed: { talos: "v1.13.9" } });
  });
  test("leaves etcd first when it is graceful", async () => {
    await talos("reset", "-n", C, "--wait=false", "--reboot");
    expect(membersOf(world, machine(A)).map(({ hostname }) => hostname)).toEqual(["k8s-0", "k8s-1"]);
  });
  test.each([
    [["--system-labels-to-wipe", "FOO"], 'failed to get volume status with label "FOO"'],
    [["--wipe-mode", "system-disk", "--user-disks-to-wipe", "/dev/vdb"], "wipe mode SYSTEM_DISK doesn't support UserDisksToWipe parameter"],
    [["--wipe-mode", "user-disks", "--user-disks-to-wipe", "/dev/vda"], "reset user disk failed: device /dev/vda is the system disk"],
    [["--wipe-mode", "user-disks", "--user-disks-to-wipe", "/dev/vdz"], "reset user disk failed: device /dev/vdz wasn't found"],
  ])("%j is refused, and nothing happens", async (words, message) => {
    const before = world.changes.length;
    const said = await talos("reset", "-n", C, "--wait=false", ...words);
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(world.changes.length).toBe(before);
  });
});

describe("an upgrade", () => {
  const upgrade = (version: string, ...more: string[]) => talos("upgrade", "-n", B, "--image", image(version), "--no-reboot", ...more);
  test("boots with the next reboot, and a rollback brings back what was there", async () => {
    expect((await upgrade("v1.13.8")).code).toBe(0);
    expect([machine(B).installed?.talos, machine(B).next?.talos]).toEqual(["v1.13.9", "v1.13.8"]);
    await down("reboot", "-n", B);
    world.pass(400);
    expect([machine(B).installed?.talos, machine(B).previous?.talos]).toEqual(["v1.13.8", "v1.13.9"]);
    expect((await talos("get", "hostname", "-n", B)).err).toBe(
      `WARNING: ${B}: server version 1.13.8 is older than client version 1.13.9\n`,
    );
    expect((await talos("rollback", "-n", B)).code).toBe(0);
    world.pass(1000);
    expect(machine(B).installed?.talos).toBe("v1.13.9");
  });
  test("that never was cannot be rolled back", async () =>
    expect((await talos("rollback", "-n", B)).err).toContain(
      "error executing rollback: 1 error occurred:\n\t* 192.168.122.17: rpc error: ",
    ));
  test("survives that the power goes before the reboot", async () => {
    await upgrade("v1.13.8");
    world.vms = world.vms.map((vm, index) => ({ ...vm, running: index !== 1 }));
    world.pass(50);
    world.vms = world.vms.map((vm) => ({ ...vm, running: true }));
    world.pass(400);
    expect(machine(B).installed?.talos).toBe("v1.13.8");
  });
  test("to an image that is not there changes nothing", async () => {
    expect((await upgrade("v1.99.0")).err).toContain(
      `error pulling upgrade image: error from node ${B}: rpc error: code = NotFound desc = `,
    );
    expect(machine(B).next).toBeUndefined();
  });
  test("by the old call asks whether every member of etcd is there", async () => {
    await talos("etcd", "remove-member", machine(C).etcd!.id, "-n", A);
    const { err } = await talos("upgrade", "-n", B, "--image", image("v1.13.8"), "--legacy", "--wait=false");
    expect(err).toContain("error validating etcd for upgrade: etcd member k8s_2 is not healthy");
  });
  test("with draining was not taught", async () => expect((await talos("upgrade", "-n", B, "--image", image("v1.13.8"))).code).toBe(70));
});

describe("etcd", () => {
  test("hands leadership on when it is told to", async () => {
    await talos("etcd", "forfeit-leadership", "-n", A);
    expect(leaderOf(world, machine(C))).toEqual({ id: machine(B).etcd!.id, term: 2 });
  });
  test("a member that was put out stays out; one that left joins again with the next boot", async () => {
    await talos("etcd", "remove-member", machine(C).etcd!.id, "-n", A);
    await talos("etcd", "leave", "-n", B);
    await down("reboot", "-n", `${B},${C}`);
    world.pass(3000);
    expect(membersOf(world, machine(A)).map(({ hostname }) => hostname)).toEqual(["k8s-0", "k8s-1"]);
  });
  test("the snapshot is written as bytes", async () => {
    expect((await talos("etcd", "snapshot", "/db", "-n", A)).out).toMatch(/^etcd snapshot saved to "\/db" \(16416 bytes\)\n/);
    expect(files["/db"]).toHaveLength(16_416);
  });
});

describe("faults", () => {
  test("after an upgrade a node boots the version that it had", async () => {
    fault("node-boots-old-version");
    await talos("upgrade", "-n", B, "--image", image("v1.13.8"), "--no-reboot");
    await down("reboot", "-n", B);
    world.pass(400);
    expect(machine(B)).toMatchObject({ stage: "running", installed: { talos: "v1.13.9" } });
    expect(machine(B).next).toBeUndefined();
  });
  test("a stream drops in the middle of an upgrade: nothing was written", async () => {
    fault("talos-drops-stream");
    const said = await talos("upgrade", "-n", B, "--image", image("v1.13.8"), "--no-reboot");
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining("code = Unavailable desc = error reading from server: EOF") });
    expect(machine(B).next).toBeUndefined();
  });
  test("the reply to an apply drops: the config is there all the same", async () => {
    fault("talos-drops-stream");
    files["/c"] = config("k8s-9");
    expect((await talos("apply-config", "-n", C, "-f", "/c")).code).toBe(1);
    expect(hostnameOf(machine(C))).toBe("k8s-9");
  });
  test("one member never joins, the others do", async () => {
    fault("etcd-never-joins", 1e9);
    await down("reset", "-n", `${B},${C}`, "--system-labels-to-wipe", "EPHEMERAL", "--reboot");
    world.pass(4000);
    expect(NODES.filter((node) => machine(node).etcd).length).toBe(2);
    fault("etcd-never-joins", 0);
    world.pass(1000);
    expect(NODES.filter((node) => machine(node).etcd).length).toBe(3);
  });
});

test("a boot without a sequence before it is ready at once", () => {
  const copy = structuredClone(machine(A));
  boot(copy, 5);
  expect(copy.readyFrom).toBeUndefined();
});
