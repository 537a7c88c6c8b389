// Messages about talos/cluster.yaml show a value as it stands in the file, and name the line also where an alias is wrong.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readCluster } from "../../../scripts/lib/cluster/load.ts";
import { UsageError } from "../../../scripts/lib/run/errors.ts";

const HOME = readFileSync("test/fixtures/cluster/good/reference.yaml", "utf8");
/** The messages about the reference home after each `from` was replaced, without the file's name and line. */
function messages(...changes: [from: string | RegExp, to: string][]): string[] {
  const text = changes.reduce((home, [from, to]) => {
    expect(home.search(from), String(from)).toBeGreaterThanOrEqual(0);
    return home.replace(from, to);
  }, HOME);
  const found: string[] = [];
  try {
    readCluster(text, (line) => found.push(`warning: ${line}`));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    found.push(...error.message.split("\n"));
  }
  return found.map((line) => line.replace(/talos\/cluster\.yaml:\d+: /, ""));
}
const lineOf = (text: string) => Number(/:(\d+): /.exec(text)![1]);

describe("a value that YAML does not read as text is shown as it was typed", () => {
  test.each([
    [/mac: 00:a0:98:28:c8:83/, "mac: 001122334455", "nodes[0].mac: 001122334455 is not a string (put it in quotes)"],
    [/mac: 00:a0:98:28:c8:83/, "mac: 0000981e2345", "nodes[0].mac: 0000981e2345 is not a string (put it in quotes)"],
    [
      /mac: 00:a0:98:28:c8:83/,
      "mac: 0x00a09828c883",
      'nodes[0].mac: "0x00a09828c883" is not a MAC address (six pairs of hex digits, for example 00:a0:98:28:c8:83)',
    ],
    [
      /mac: 00:a0:98:28:c8:83/,
      "mac: 1e400",
      'nodes[0].mac: "1e400" is not a MAC address (six pairs of hex digits, for example 00:a0:98:28:c8:83)',
    ],
    [/eabKeyId: .*/, "eabKeyId: 1234e56789", "acme.eabKeyId: 1234e56789 is not a string (put it in quotes)"],
    [
      /eabKeyId: .*/,
      "eabKeyId: 00112233445566778899001122334455",
      "acme.eabKeyId: 00112233445566778899001122334455 is not a string (put it in quotes)",
    ],
    [/zone: m/, "zone: 1.10", "nodes[0].labels.topology.kubernetes.io/zone: 1.10 is not a string (put it in quotes)"],
    [/zone: m/, "zone: 0o17", "nodes[0].labels.topology.kubernetes.io/zone: 0o17 is not a string (put it in quotes)"],
    [/zone: m/, "zone: TRUE", "nodes[0].labels.topology.kubernetes.io/zone: TRUE is not a string (put it in quotes)"],
    [
      /zone: m/,
      "zone: +.INF",
      'nodes[0].labels.topology.kubernetes.io/zone: "+.INF" is not a label value (letters, digits, - _ and ., at most 63, with a letter or digit at both ends)',
    ],
    [/zone: m/, "zone: ~", "nodes[0].labels.topology.kubernetes.io/zone: ~ is empty (for example m)"],
    [/name: k8s-0/, "name: 007", "nodes[0].name: 007 is not a string (put it in quotes)"],
    [/mtu: .*/, "mtu: 0x10", "network.mtu: 0x10 is too small (1280 to 9216)"],
    [/mtu: .*/, "mtu: 9e99", "network.mtu: 9e99 is too large (1280 to 9216)"],
    [/mtu: .*/, "mtu: 1500.50", "network.mtu: 1500.50 is not a whole number"],
    [/mtu: .*/, "mtu: False", "network.mtu: False is not a whole number"],
    [/cpus: .*/, "cpus: 0o1", "vm.cpus: 0o1 is too small (2 to 255)"],
    [/cpus: .*/, "cpus: 007.50", "vm.cpus: 007.50 is not a whole number"],
    [/memory: .*/, "memory: 048.0", 'vm.memory: "048.0" has no unit (048.0GiB or 048.0GB? Units are MiB, GiB, TiB, MB, GB or TB)'],
    [/hypervisor: .*/, "hypervisor: 0x1", "hypervisor: 0x1 is unknown (truenas or vsphere)"],
    [
      /truenas: #.*\n(?: .*\n)+/,
      "truenas: 0o10\n",
      "truenas: 0o10 is set where a section is expected (a section with pool, vmDataset, isoDataset, bridge)",
    ],
  ])("%s → %s", (from, to, message) => expect(messages([from, to])).toEqual([message]));
  test("through an alias", () =>
    expect(messages([/zone: m/, "zone: &zone 1.10"], [/zone: m\n/, "zone: *zone\n"])).toEqual([
      "nodes[0].labels.topology.kubernetes.io/zone: 1.10 is not a string (put it in quotes)",
      "nodes[1].labels.topology.kubernetes.io/zone: 1.10 is not a string (put it in quotes)",
    ]));
  test("a key too, and two keys that are one number are two", () => {
    expect(messages([/^name: .*/m, "name: home-ops-cluster\n1.10: x\n1.1: y\n0x1F: z"])).toEqual([
      expect.stringMatching(/^1\.10: is unknown/),
      expect.stringMatching(/^1\.1: is unknown/),
      expect.stringMatching(/^0x1F: is unknown/),
    ]);
  });
  test("a multicast MAC keeps its separators", () =>
    expect(messages([/mac: 00:a0:98:28:c8:83/, "mac: 01-A0-98-28-C8-83"])[0]).toContain("01-A0-98-28-C8-83 is a multicast address"));
});

describe("network.nodes is too small", () => {
  test.each(["192.168.120.0/32", "192.168.122.10/31", "192.168.120.96/29"])("%s", (network) => {
    const found = messages([/nodes: 192\.168\.120\.0\/22/, `nodes: ${network}`]);
    expect(found.some((line) => line.startsWith(`network.nodes: ${network}`) || line.includes(network))).toBe(true);
    expect(found.join("\n")).not.toContain("192.168.119.255");
  });
  test("says how many addresses there are and how many are needed", () =>
    expect(messages([/nodes: 192\.168\.120\.0\/22/, "nodes: 192.168.120.0/32"])).toEqual([
      "network.nodes: 192.168.120.0/32 has room for 0 of 6 addresses (VIP, two gateways and the nodes; a /24 has room for 254)",
    ]));
});

describe("an alias", () => {
  const told = (from: string | RegExp, to: string) => {
    try {
      readCluster(HOME.replace(from, to), () => {});
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    return "good";
  };
  test.each([
    ["of no anchor", "zone: *zone", "*zone: no anchor &zone stands above it (write the value, or set the anchor at the first use)"],
    ["inside its own anchor", "zone: &zone [*zone]", "*zone: stands inside its own anchor &zone (write the value)"],
    ["as a key", "zone: m\n      *zone : x", "*zone: a key cannot be an alias (write the key)"],
  ])("%s has file and line", (_what, to, message) => {
    const found = told("zone: m", to).split("\n");
    const line = HOME.slice(0, HOME.indexOf("zone: m")).split("\n").length + (to.includes("\n") ? 1 : 0);
    expect(found).toContain(`talos/cluster.yaml:${line}: ${message}`);
  });
  test("many aliases of one anchor are no attack", () => {
    const nodes = Array.from(
      { length: 150 },
      (_, i) => `  - { name: n${i}, address: 192.168.120.${i + 20}, mac: 00:a0:98:00:00:${(i % 90) + 10}, labels: *l }`,
    );
    const text = HOME.replace(
      /^nodes:[\s\S]*?\n\n/m,
      `nodes:\n  - { name: a, address: 192.168.121.1, mac: 00:a0:98:01:01:01, labels: &l { a: b } }\n${nodes.join("\n")}\n\n`,
    );
    expect(() => readCluster(text, () => {})).toThrow(/is already the MAC of nodes/);
  });
  test("a list as a key has a line", () => expect(lineOf(told("zone: m", "? [a]\n      : b"))).toBeGreaterThan(20));
});

describe("a hypervisor by another name", () => {
  test.each(["esxi", "ESXi", "vmware", "vcenter"])("%s is vsphere", (name) =>
    expect(messages([/hypervisor: .*/, `hypervisor: ${name}`])).toContain(
      `hypervisor: ${JSON.stringify(name)} is unknown (did you mean vsphere? truenas or vsphere)`,
    ),
  );
  test("freenas is truenas", () => expect(messages([/hypervisor: .*/, "hypervisor: freenas"])[0]).toContain("did you mean truenas?"));
  test("as a section too", () => expect(messages([/^vsphere:/m, "esxi:"])).toContain("esxi: is unknown (did you mean vsphere?)"));
  test("proxmox is neither", () =>
    expect(messages([/hypervisor: .*/, "hypervisor: proxmox"])[0]).toBe('hypervisor: "proxmox" is unknown (truenas or vsphere)'));
});

describe("git.owner", () => {
  const git = (url: string, owner: string) => messages([/^git:\n(?: .*\n)+/m, `git:\n  url: ${url}\n  owner: ${owner}\n`]);
  test.each([
    "https://github.com/example/home-ops",
    "https://github.com/Example/home-ops.git",
    "ssh://git@github.com/example/home-ops",
    "ssh://git@ssh.github.com:443/example/home-ops",
  ])("of %s is refused when it is another", (url) => {
    expect(git(url, "example")).toEqual([]);
    expect(git(url, "other")).toEqual([expect.stringMatching(/^git\.owner: other does not own the repository in git\.url, example does/i)]);
  });
  test("of a mirror elsewhere is a warning", () =>
    expect(git("https://git.example.com/mirrors/home-ops", "other")).toEqual([
      "warning: git.owner: other is not the owner that git.url names (mirrors); correct only if the URL is a mirror",
    ]));
});

describe("network.pods and network.services", () => {
  test.each([
    ["pods", "8.8.0.0/16"],
    ["services", "11.43.0.0/16"],
    ["pods", "172.32.0.0/16"],
    ["pods", "100.64.0.0/16"],
    ["services", "192.0.0.0/12"],
  ])("%s: %s is reported as not private", (name, network) =>
    expect(messages([new RegExp(`${name}: 10\\.4[23]\\.0\\.0/16`), `${name}: ${network}`])).toContainEqual(
      `warning: network.${name}: ${network} is not private address space: the cluster cannot reach hosts with these addresses (use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16)`,
    ),
  );
  test.each(["172.16.0.0/16", "172.31.0.0/16", "192.168.0.0/18", "10.0.0.0/16"])("%s is private", (network) =>
    expect(messages([/pods: 10\.42\.0\.0\/16/, `pods: ${network}`])).toEqual([]),
  );
});
