// talos/cluster.yaml: what is good is read, what is wrong is told at once, by line, field and hint.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { reference } from "../../../scripts/lib/cluster/cluster.ts";
import { settingsOf } from "../../../scripts/lib/tree/settings.ts";
import { readHome } from "../../../scripts/lib/cluster/home.ts";
import { loadCluster, readCluster } from "../../../scripts/lib/cluster/load.ts";
import { UsageError } from "../../../scripts/lib/run/errors.ts";
import { testCluster, testVersions } from "../test-cluster.ts";
import { clusterCase, clusterCases } from "./cases.ts";

const FIXTURES = "test/fixtures/cluster";
const bad = clusterCases();
const fixture = (name: string) => readFileSync(join(FIXTURES, name), "utf8");
const LABELS = { "topology.kubernetes.io/region": "main", "topology.kubernetes.io/zone": "m" };
const none = (line: string) => {
  throw new Error(`unexpected warning: ${line}`);
};

/** Warnings, and what the file is refused for. */
function toldOf(text: string): string[] {
  const told: string[] = [];
  try {
    readCluster(text, (line) => told.push(`warning: ${line}`));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    told.push(...error.message.split("\n"));
  }
  return told;
}

test("there are at least 28 bad files", () => expect(bad.length).toBeGreaterThanOrEqual(28));

test("the base of the bad files is good", () => expect(toldOf(fixture("base.yaml"))).toEqual([]));

describe.each(bad)("$name", ({ text, expected }) => {
  const told = toldOf(text);
  test("is told exactly", () => expect(`${told.join("\n")}\n`).toBe(expected));
  test("is told with a line, and a field or what the file is", () => {
    for (const line of told) expect(line).toMatch(/^(warning: )?talos\/cluster\.yaml:\d+: \S/);
  });
  test("is told in the order of the lines", () => {
    const lines = told.map((line) => Number(/:(\d+): /.exec(line)![1]));
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });
});

describe("a good file", () => {
  test("with everything in it is the reference home", () =>
    expect(readCluster(fixture("good/reference.yaml"), none)).toEqual(
      testCluster({ nodes: testCluster().nodes.map((node) => ({ ...node, labels: LABELS })) }),
    ));
  test("may be short: what is left out has a default, MACs are made alike", () => {
    const home = readCluster(fixture("good/minimal.yaml"), none);
    expect(home.nodes).toEqual([{ name: "one", vm: "one", address: "192.168.1.10", mac: "aa:bb:cc:00:11:22", labels: {} }]);
    expect(home).toMatchObject({
      timezone: "Etc/UTC",
      vm: { cpus: 8, memory: 48 * 2 ** 30, bootDisk: 500e9, dataDisk: 1e12 },
      network: { mtu: 1500, ntp: ["time.cloudflare.com"], discovery: { enabled: true } },
      git: { branch: "main" },
      nas: { exports: {} },
      onepassword: { items: testCluster().onepassword.items },
    });
    expect(home.unifi).toBeUndefined();
  });
  test("may be for one node, with some sizes and some items of its own", () => {
    const home = readCluster(fixture("good/single-node.yaml"), none);
    expect(home.nodes).toEqual([{ name: "solo", vm: "solo", address: "10.0.0.3", mac: "00:a0:98:28:c8:83", labels: {} }]);
    expect(home.network).toMatchObject({ pods: "10.42.0.0/16", services: "10.43.0.0/16" });
    expect(home.vm).toEqual({ cpus: 8, memory: 16 * 2 ** 30, bootDisk: 500e9, dataDisk: 1.5e12 });
    expect(home.onepassword.items).toEqual({ ...testCluster().onepassword.items, nas: "my nas" });
  });
  test("may rename items of applications, which become settings", () => {
    const home = readCluster(fixture("good/single-node.yaml").replace("nas: my nas", "nas: my nas, certManager: my certificates"), none);
    expect(home.onepassword.renamed).toEqual({ certManager: "my certificates" });
    expect(settingsOf(home, testVersions).filter(({ name }) => name.startsWith("ITEM_"))).toEqual([
      { name: "ITEM_CERT_MANAGER", says: "onepassword.items.certManager", value: "my certificates" },
    ]);
  });
  test.each(["talso", "sop", "a b", "9"])("an item called %s is refused", (key) =>
    expect(() => readCluster(fixture("good/single-node.yaml").replace("nas: my nas", `"${key}": x`), none)).toThrow(
      /^talos\/cluster\.yaml:\d+: onepassword\.items\..*: is unknown/,
    ),
  );
  test("may name a second vault for what only the operator needs", () => {
    const home = readCluster(
      fixture("good/reference.yaml").replace("vault: Infrastructure\n", "vault: Infrastructure\n  operatorVault: Operator\n"),
      none,
    );
    expect(reference(home, "talos", "CLUSTER_ID")).toBe("op://Operator/talos/CLUSTER_ID");
    expect(home.onepassword.vault).toBe("Infrastructure");
    const one = readCluster(fixture("good/reference.yaml"), none);
    expect(reference(one, "talos", "CLUSTER_ID")).toBe("op://Infrastructure/talos/CLUSTER_ID");
  });
  test("for vSphere needs no section for TrueNAS, and is told that vSphere is not supported yet", () => {
    const told: string[] = [];
    expect(readCluster(fixture("good/vsphere.yaml"), (line) => told.push(line)).hypervisor).toBe("vsphere");
    expect(told).toEqual([expect.stringMatching(/^talos\/cluster\.yaml:\d+: hypervisor: vsphere is not supported yet: /)]);
  });
  test("may use anchors", () =>
    expect(
      readCluster(
        fixture("good/reference.yaml").replace("region: main", "region: &region main").replace("zone: m\n", "zone: *region\n"),
        none,
      ).nodes[0]!.labels,
    ).toEqual({ "topology.kubernetes.io/region": "main", "topology.kubernetes.io/zone": "main" }));
});

test("one mistake does not hide another: a default that collides is told next to a wrong field", () =>
  expect(
    toldOf(
      fixture("good/minimal.yaml")
        .replace("  pods: 10.42.0.0/16\n", "")
        .replace("192.168.1.0/24", "10.42.0.0/24")
        .replace("name: home", "name: Home"),
    ),
  ).toEqual([
    expect.stringContaining(':1: name: "Home" is not a valid'),
    expect.stringContaining(":3: endpoint: 192.168.1.100 is outside network.nodes"),
    "talos/cluster.yaml:4: network.pods: 10.42.0.0/16 overlaps network.nodes (10.42.0.0/24)",
    expect.stringContaining(":7: network.gateways.from: 192.168.1.200 is outside"),
    expect.stringContaining(":7: network.gateways.to: 192.168.1.220 is outside"),
    expect.stringContaining(":9: nodes[0].address: 192.168.1.10 is outside"),
  ]));

describe("in a folder", () => {
  let root: string;
  const folder = (files: Record<string, string>) => {
    root = mkdtempSync(join(tmpdir(), "home-"));
    mkdirSync(join(root, "talos"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    return root;
  };
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const VERSIONS = Object.entries(testVersions).map((pair) => `${pair.join("=")}\n`);

  test("without the file, it says where it comes from and how to go on", () =>
    expect(() => loadCluster(folder({}), none)).toThrow(
      "talos/cluster.yaml: does not exist (bring back the reference home's with `git restore talos/cluster.yaml`, edit it, then run `task secrets:init`)",
    ));
  test("a file that cannot be read is not taken for a missing one", () => {
    mkdirSync(join(folder({}), "talos/cluster.yaml"));
    expect(() => loadCluster(root, none)).toThrow(/^talos\/cluster\.yaml: cannot be read: EISDIR/);
  });
  test("both files are read", () => {
    const home = readHome(folder({ "versions.env": VERSIONS.join(""), "talos/cluster.yaml": fixture("good/reference.yaml") }), {}, none);
    expect(home.versions).toEqual(testVersions);
    expect(home.cluster.name).toBe("home-ops-cluster");
  });
  test("what is wrong with both is told at once", () =>
    expect(() =>
      readHome(folder({ "versions.env": VERSIONS.slice(1).join(""), "talos/cluster.yaml": clusterCase("pool-backwards").text }), {}, none),
    ).toThrow(
      `versions.env: TALOS_VERSION: is missing (a line TALOS_VERSION=v1.13.9)\n${clusterCase("pool-backwards").expected.trimEnd()}`,
    ));
});

test("the repository's own file is good, and names its schema for editors", () => {
  expect(() => loadCluster(process.cwd(), () => {})).not.toThrow();
  expect(readFileSync("talos/cluster.yaml", "utf8").split("\n")).toContain("# yaml-language-server: $schema=./cluster.schema.json");
});
