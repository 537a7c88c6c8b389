// talos/cluster.yaml and versions.env: what is good is read, what is wrong is told at once, by line, field and hint.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCluster, readCluster } from "../../../scripts/lib/cluster/load.ts";
import { loadVersions, readVersions } from "../../../scripts/lib/versions.ts";
import { clusterSchema } from "../../../scripts/lint/cluster-schema.ts";
import { testCluster, testVersions } from "../test-cluster.ts";

const FIXTURES = "test/fixtures/cluster";
const bad = readdirSync(FIXTURES).filter((name) => name.endsWith(".yaml"));
const fixture = (name: string) => readFileSync(join(FIXTURES, name), "utf8");
const LABELS = { "topology.kubernetes.io/region": "main", "topology.kubernetes.io/zone": "m" };
const none = (line: string) => {
  throw new Error(`unexpected warning: ${line}`);
};

test("there are at least 25 bad files", () => expect(bad.length).toBeGreaterThanOrEqual(25));

test.each(bad)("%s is told exactly", (name) => {
  let told = "nothing wrong";
  try {
    readCluster(fixture(name), (line) => (told = `warning ${line}`));
  } catch (error) {
    told = (error as Error).message;
  }
  expect(`${told}\n`).toBe(fixture(name.replace(".yaml", ".expected.txt")));
});

describe("a good file", () => {
  test("of the repository is the reference home", () =>
    expect(loadCluster(process.cwd(), testVersions, none)).toEqual(
      testCluster({ nodes: testCluster().nodes.map((node) => ({ ...node, labels: LABELS })) }),
    ));
  test("may be short: what is left out has a default, MACs are made alike", () => {
    const home = readCluster(fixture("good/minimal.yaml"), none);
    expect(home.nodes).toEqual([{ name: "one", vm: "one", address: "192.168.1.10", mac: "aa:bb:cc:00:11:22", labels: {} }]);
    expect(home).toMatchObject({
      timezone: "Etc/UTC",
      vm: { cpus: 8, memory: 48 * 2 ** 30 },
      network: { mtu: 1500 },
      git: { branch: "main" },
      onepassword: { items: { nas: "talosdeploy" } },
    });
  });
  test("for vSphere needs no section for TrueNAS", () =>
    expect(readCluster(fixture("good/vsphere.yaml"), none).hypervisor).toBe("vsphere"));
  test("that is not there says where it comes from", () =>
    expect(() => loadCluster("/nowhere", testVersions, none)).toThrow(
      /^talos\/cluster.yaml: cannot be read: ENOENT.*git checkout talos\/cluster.yaml/,
    ));
});

test("the schema for editors is made from the definition that validates (task lint:cluster-schema writes it)", async () =>
  expect(readFileSync("talos/cluster.schema.json", "utf8")).toBe(await clusterSchema()));
test("the file names its schema for editors", () =>
  expect(readFileSync("talos/cluster.yaml", "utf8").split("\n")[0]).toBe("# yaml-language-server: $schema=./cluster.schema.json"));

describe("versions", () => {
  const GOOD = "# renovate: x\nTALOS_VERSION=v1.13.9\nKUBERNETES_VERSION='v1.36.5' # quoted\nFLUX_VERSION=v2.9.4\n";
  const wrong = (text: string, env = {}) => readVersions(text, env).wrong;
  test("of the repository are read", () => expect(loadVersions(process.cwd(), {})).toMatchObject(testVersions));
  test("every one has its Renovate annotation", () =>
    expect(readFileSync("versions.env", "utf8").match(/# renovate: .*\n[A-Z]/g)?.length).toBe(
      Object.keys(loadVersions(process.cwd(), {})).length,
    ));
  test("the environment wins", () =>
    expect(readVersions(GOOD, { TALOS_VERSION: "v1.13.8", OTHER: "x" }).versions).toEqual({ ...testVersions, TALOS_VERSION: "v1.13.8" }));
  test("an empty variable of the environment does not", () =>
    expect(readVersions(GOOD, { TALOS_VERSION: "" }).versions.TALOS_VERSION).toBe("v1.13.9"));
  test("a Kubernetes that this Talos does not support is refused", () =>
    expect(wrong(GOOD.replace("v1.36.5", "v1.37.2"))).toEqual([
      "versions.env:3: KUBERNETES_VERSION: Talos v1.13.9 does not support Kubernetes v1.37.2 (v1.31 to v1.36)",
    ]));
  test("one from the environment too, and it says so", () =>
    expect(wrong(GOOD, { KUBERNETES_VERSION: "v1.30.0" })).toEqual([
      "environment: KUBERNETES_VERSION: Talos v1.13.9 does not support Kubernetes v1.30.0 (v1.31 to v1.36)",
    ]));
  test("a newer Talos that is not in the table is taken at its word", () => expect(wrong(GOOD.replace("v1.13.9", "v1.15.0"))).toEqual([]));
  test("everything wrong is told at once", () =>
    expect(wrong("TALOS_VERSION=1.13.9\nwhat is this\nTALOS_VERSION=v1.13.9\nKUBERNETES_VERSION=v1.36\n")).toEqual([
      'versions.env:2: "what is this" is no NAME=value',
      "versions.env:3: TALOS_VERSION stands twice; first in versions.env:1",
      'versions.env:1: TALOS_VERSION: "1.13.9" is no version (write it like v1.2.3)',
      'versions.env:4: KUBERNETES_VERSION: "v1.36" is no version (write it like v1.2.3)',
      "versions.env: FLUX_VERSION is missing (a line FLUX_VERSION=v1.2.3)",
    ]));
  test("a missing file asks where you are", () => expect(() => loadVersions("/nowhere", {})).toThrow("are you in the project's folder?"));
});
