// The Talos procedures as processes against three machines: from nodes without a config to one that is changed, staged, refused, interrupted, renewed.
import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHome, environmentOf } from "../simulators/control.ts";
import { type Ran, run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { violationsOf } from "../rehearsal/violations.ts";

let home: RunningHome;
const runs: Ran[] = [];
const at = (...path: string[]) => join(home.folder, ...path);
const world = () => readFileSync(at("world.json"), "utf8");
async function task(name: string, ...words: string[]): Promise<Ran> {
  const ran = await run(home.folder, name, words);
  runs.push(ran);
  return ran;
}
const settled = () => askHome(home.folder, "settle");
const table = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(/ {2,}/));

beforeAll(async () => {
  home = await startHome({ project: process.cwd() });
  for (const [name, ...words] of [
    ["secrets:init", "--yes"],
    ["talos:talosconfig", "--yes"],
    ["vm:deploy", "--generate-iso", "--yes"],
  ] as const) {
    if (name === "talos:talosconfig") await askHome(home.folder, "person");
    const ran = await task(name, ...words);
    expect(ran.code, ran.stderr).toBe(0);
  }
  await settled();
});
afterAll(() => home?.close());

/** Changes the fork's files, as a person would with an editor. */
function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(at("repo", file), "utf8");
  const changed = text.replace(from, to);
  expect(changed, `${file} has no ${String(from)}`).not.toBe(text);
  writeFileSync(at("repo", file), changed);
}

describe("without a node that has a config", () => {
  test("the configs are valid, and the factory knows the schematic", async () => {
    expect((await task("talos:validate")).stderr).toBe("3 machine configs are valid\n");
    expect((await task("talos:schematic")).stdout).toContain("knows this schematic");
  });
  test("render shows references and no secret", async () => {
    const { stdout } = await task("talos:render", "--node", "k8s-1");
    expect(stdout).toContain("token: op://Operator/talos/MACHINE_TOKEN");
  });
  test("status has a row for each, diff has changes pending", async () => {
    expect(
      table((await task("talos:status")).stdout)
        .slice(1, 4)
        .map((row) => row.slice(0, 3)),
    ).toEqual([0, 1, 2].map((i) => [`k8s-${i}`, `192.168.122.1${i}`, "maintenance"]));
    expect((await task("talos:diff", "--exit-code")).code).toBe(2);
  });
  test("a dry run of apply changes nothing", async () => {
    const before = world();
    const ran = await task("talos:apply", "--dry-run");
    expect([ran.code, world()]).toEqual([0, before]);
    expect(ran.stderr).toMatch(
      /k8s-2 \(192\.168\.122\.12\), maintenance: installs Talos on its system disk, and reboots\n +certificate [\w+/]{43}=, which its console shows too\n +system disk \/dev\/vda \(500 GB\): blank\n +data disk \/dev\/vdb \(1000 GB\): blank\n/,
    );
  });
  /** Runs it with a fault on, which leaves the machines as they were. */
  const refusedWith = async (fault: string, ...words: string[]) => {
    await askHome(home.folder, "faults", { on: { [fault]: 1e9 } });
    const stages = async () =>
      ((await askHome(home.folder, "status")) as { machines: { stage: string }[] }).machines.map(({ stage }) => stage);
    const ran = await task("talos:apply", "--node", "k8s-0", ...words);
    await askHome(home.folder, "faults", { off: [fault] });
    expect([ran.code, await stages()]).toEqual([expect.any(Number), ["maintenance", "maintenance", "maintenance"]]);
    return ran;
  };
  test("another machine at the address is refused", async () => {
    const ran = await refusedWith("node-address-taken", "--yes");
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining(
        "k8s-0 (192.168.122.10) is not ours to configure: the machine at 192.168.122.10 has NIC 52:54:00:5a:6e:01, talos/cluster.yaml says 00:a0:98:28:c8:83",
      ),
    ]);
  });
  test("a machine that was swapped after the look is sent nothing", async () => {
    const ran = await refusedWith("node-swapped", "--yes");
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining(
        "the machine at 192.168.122.10 no longer shows the certificate that it showed during the look\n  now:  nothing was sent to it",
      ),
    ]);
  });
  test("a disk that holds data needs the node's name: a yes is not enough, nor another name", async () => {
    const yes = await refusedWith("disk-holds-data", "--yes");
    expect([yes.code, yes.stderr]).toEqual([64, expect.stringContaining("pass CONFIRM=k8s-0 (--confirm k8s-0) to continue")]);
    expect(yes.stderr).toContain("k8s-0: system disk /dev/vda (500 GB): gpt with photos (ext4)\n");
    expect(yes.stderr).toContain(
      "k8s-0: data disk /dev/vdb (1000 GB): bluestore (the install leaves it, but Ceph takes only a blank disk)\n",
    );
    expect((await refusedWith("disk-holds-data", "--confirm", "k8s-1")).code).toBe(64);
  });
  test("one node alone is installed, then the others, then none", async () => {
    await askHome(home.folder, "faults", { on: { "disk-holds-data": 1e9 } });
    expect((await task("talos:apply", "--node", "k8s_0", "--confirm", "k8s-0")).stderr).toMatch(/k8s-0 holds the config\n$/);
    await askHome(home.folder, "faults", { off: ["disk-holds-data"] });
    const rest = await task("talos:apply", "--yes");
    expect(rest.stderr).toContain("talos:apply k8s-1, k8s-2\n  k8s-0 already has this config\n");
    const again = await task("talos:apply");
    expect([again.code, again.stderr]).toEqual([
      0,
      "k8s-0 already has this config\nk8s-1 already has this config\nk8s-2 already has this config\n",
    ]);
  });
});

describe("with nodes that run", () => {
  /** What somebody does to a node behind the product's back. */
  const talosctl = (node: string, ...words: string[]) => {
    const to = ["--talosconfig", at("talosconfig"), "--endpoints", node, "--nodes", node];
    return promisify(execFile)(at("bin/talosctl"), [...to, ...words], { env: environmentOf(home.folder) });
  };
  const RESET = ["reset", "--system-labels-to-wipe", "STATE", "--graceful=false", "--reboot", "--wait=false"];

  test("each is ready once etcd is", async () => {
    const ran = await task("bootstrap", "--yes");
    expect(ran.code, ran.stderr).toBe(0);
    const rows = table((await task("talos:status")).stdout);
    expect(rows.slice(1, 4).map((row) => row.slice(2))).toEqual(
      [0, 1, 2].map(() => ["running", "v1.13.9", "c682c3b7e274", "member", "healthy", "as rendered"]),
    );
  });

  test("what takes effect at once is applied to each in turn", async () => {
    edit("talos/cluster.yaml", "mtu: 9000", "mtu: 1500");
    const shown = await task("talos:diff", "--node", "k8s-0", "--exit-code");
    expect([shown.code, shown.stdout]).toEqual([
      2,
      "k8s-0 (192.168.122.10), running: 1 change, no reboot\n  ~ LinkConfig lan mtu: 9000 → 1500\n",
    ]);
    const ran = await task("talos:apply", "--yes");
    expect([ran.code, ran.stderr.split("\n").filter((line) => line.includes("holds"))]).toEqual([
      0,
      [0, 1, 2].map((i) => `k8s-${i} holds the config`),
    ]);
  });

  test("what needs a reboot is refused without one, staged for later, and rebooted for", async () => {
    edit("talos/machineconfig.yaml.njk", "nconnect=16", "nconnect=8");
    const before = world();
    const refused = await task("talos:apply", "--node", "k8s-1", "--mode", "no-reboot", "--yes");
    expect([refused.code, world()]).toEqual([1, before]);
    expect(refused.stderr).toContain("refuses this config: this config change can't be applied in immediate mode");
    expect((await task("talos:apply", "--node", "k8s-1", "--mode", "staged", "--yes")).stderr).toContain(
      "k8s-1 holds the config for its next boot",
    );
    expect((await task("talos:apply", "--node", "k8s-1", "--mode", "staged")).stderr).toBe("k8s-1 already has this config\n");
    const ran = await task("talos:apply", "--node", "k8s-1", "--yes");
    expect([ran.code, ran.stderr]).toEqual([
      0,
      expect.stringContaining("reboots for machine.files[/etc/nfsmount.conf].content, and is not drained before"),
    ]);
    expect(ran.stderr).toContain("~ v1alpha1 machine.files[/etc/nfsmount.conf].content: ******** (7 lines) → another ******** (7 lines)");
  });

  test("a run that is killed after it sent a config goes on from what the node holds", async () => {
    edit("talos/cluster.yaml", "mtu: 1500", "mtu: 9000");
    const killed = await run(home.folder, "talos:apply", ["--node", "k8s-2", "--yes"], {
      onStart: async (pid) => void (await askHome(home.folder, "killAt", { pid, change: 1, phase: "after" })),
    });
    expect(killed.killed).toBe("SIGKILL");
    await settled();
    const again = await task("talos:apply", "--node", "k8s-2", "--yes");
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringMatching(/^removed the lock of talos:apply \(process \d+\), which has died\nk8s-2 already has this config\n$/),
    ]);
  });

  test("a node that was reset behind the cluster's back needs its name: etcd still counts it, and its disk is not blank", async () => {
    await talosctl("192.168.122.12", ...RESET);
    await settled();
    const yes = await task("talos:apply", "--node", "k8s-2", "--yes");
    expect([yes.code, yes.stderr]).toEqual([64, expect.stringContaining("pass CONFIRM=k8s-2 (--confirm k8s-2) to continue")]);
    expect(yes.stderr).toContain("k8s-2: etcd counts it as member k8s-2\n");
    expect(yes.stderr).toContain("k8s-2: system disk /dev/vda (500 GB): gpt with EFI (vfat)");
    const bootstrap = await task("bootstrap:configs", "--yes");
    expect([bootstrap.code, bootstrap.stderr]).toEqual([64, expect.stringContaining("pass CONFIRM=k8s-2")]);
    const ran = await task("talos:apply", "--node", "k8s-2", "--confirm", "k8s-2");
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("k8s-2 holds the config\n")]);
    await settled();
  }, 120_000);

  test("the kubeconfig is left alone while it is good, and goes into the vault only when asked", async () => {
    expect((await task("talos:kubeconfig")).stderr).toMatch(/ leads to https:\/\/192\.168\.120\.100:6443 and is good for 36\d days\n$/);
    expect((await task("talos:kubeconfig", "--upload", "--yes")).stderr).toContain("store it in vault Operator, item kubeconfig");
    expect((await task("talos:kubeconfig", "--upload")).stderr).toMatch(/ is good for 36\d days and is in vault Operator\n$/);
    expect(statSync(at("kubeconfig")).mode & 0o777).toBe(0o600);
  });

  test("status and validate work, and diff says why it cannot, when nobody is signed in to 1Password", async () => {
    await askHome(home.folder, "faults", { on: { "vault-signed-out": 1e9 } });
    const status = await task("talos:status");
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringMatching(/running[^]*whether these are home-ops-cluster's nodes is unknown: .*sign/i),
    ]);
    const ran = await task("talos:diff");
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/signed in|sign in/i)]);
    await askHome(home.folder, "faults", { off: ["vault-signed-out"] });
  });

  test("a node that is replaced while the cluster cannot be asked needs its name: a living node may have its address", async () => {
    await talosctl("192.168.122.12", ...RESET);
    for (const node of ["192.168.122.10", "192.168.122.11"]) await talosctl(node, "shutdown", "--force", "--wait=false");
    await settled();
    const yes = await task("talos:apply", "--node", "k8s-2", "--yes");
    expect([yes.code, yes.stderr]).toEqual([64, expect.stringContaining("pass CONFIRM=k8s-2 (--confirm k8s-2) to continue")]);
    expect(yes.stderr).toContain(
      "k8s-2: the cluster may have a living node at 192.168.122.12, and cannot be asked ($KUBECONFIG is this cluster's)\n",
    );
  }, 120_000);
});

test("nothing secret was shown or left anywhere, and nobody outside was called", async () => {
  expect(await violationsOf(home.folder, runs)).toEqual([]);
});
