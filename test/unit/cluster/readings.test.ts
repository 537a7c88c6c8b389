// Single words of the configuration: which are taken, as what, and what a person is told about the others.
import { describe, expect, test } from "vitest";
import { wrongName } from "../../../scripts/lib/cluster/node-names.ts";
import {
  readAddress,
  readDomain,
  readEndpoint,
  readHost,
  readMac,
  type Reading,
  readNetwork,
  readSize,
  readTimezone,
} from "../../../scripts/lib/cluster/readings.ts";
import {
  readBranch,
  readClusterName,
  readDataset,
  readGitUrl,
  readInterface,
  readInventoryName,
  readLabelKey,
  readLabelValue,
  readPath,
  readVaultName,
  readWebUrl,
} from "../../../scripts/lib/cluster/typed-value.ts";

type Read = (typed: string) => Reading<unknown>;
const name = (typed: string): Reading<string> => {
  const wrong = wrongName(typed);
  return wrong === undefined ? { value: typed } : { wrong };
};

/** Words that are taken as they stand. */
const GOOD: Record<string, [Read, string[]]> = {
  address: [readAddress, ["0.0.0.0", "192.168.122.10", "255.255.255.255"]],
  network: [readNetwork, ["192.168.120.0/22", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/32"]],
  domain: [readDomain, ["example.com", "a.b-c.org", "xn--kche-0ra.example"]],
  host: [readHost, ["nas", "nas.lan", "192.168.1.1", "time.cloudflare.com"]],
  "time zone": [readTimezone, ["Europe/Zurich", "Etc/UTC", "UTC", "US/Eastern", "America/Argentina/Buenos_Aires"]],
  "cluster's name": [readClusterName, ["a", "home-ops-cluster", "x".repeat(63)]],
  "node's name": [name, ["k8s-0", "a", "0", "x".repeat(63)]],
  interface: [readInterface, ["br0", "bond0.10", "vlan-mgmt"]],
  "name in vSphere": [readInventoryName, ["VM Network", "vl999", "datastore1 (1)"]],
  "name in the vault": [readVaultName, ["Infrastructure", "Home Lab", "cert-manager", "v1.2_x"]],
  dataset: [readDataset, ["tank", "flashstor/VM", "a/b-c/d.e:f"]],
  path: [readPath, ["/", "/mnt/flashstor/Media", "/mnt/with space/"]],
  "Git URL": [readGitUrl, ["https://github.com/you/home-ops", "ssh://git@github.com/you/home-ops.git", "http://git.lan/x"]],
  branch: [readBranch, ["main", "live/home", "v1.2"]],
  "web URL": [readWebUrl, ["http://192.168.123.152:3000", "https://discovery.example.com/"]],
  "label's key": [readLabelKey, ["zone", "topology.kubernetes.io/zone", "a.b/C_d.e", "x".repeat(63)]],
  "label's value": [readLabelValue, ["", "m", "a_b.c-d"]],
};
describe.each(Object.entries(GOOD))("a good %s", (_, [read, words]) => {
  test.each(words)("%j", (typed) => expect(read(typed)).not.toHaveProperty("wrong"));
});

/** Words that are refused, and what the refusal must say. */
const BAD: Record<string, [Read, Record<string, string>]> = {
  address: [
    readAddress,
    {
      "": "not an IPv4",
      "1.2.3": "not an IPv4",
      "1.2.3.256": "not an IPv4",
      "01.2.3.4": "not an IPv4",
      "::1": "not an IPv4",
      "1.2.3.4/24": "write 1.2.3.4",
      "nas.lan": "not an IPv4",
    },
  ],
  network: [
    readNetwork,
    {
      "10.0.0.0/33": "not an IPv4 network",
      "10.0.0.1/8": "the network is 10.0.0.0/8",
      "10.0.0.0": "no prefix",
      "fd00::/8": "not an IPv4 network",
      "": "not an IPv4 network",
    },
  ],
  domain: [
    readDomain,
    {
      "https://example.com/": "write example.com",
      "Example.com": "write example.com",
      example: "not a domain",
      "-a.com": "not a domain",
      "a..com": "not a domain",
      "": "not a domain",
    },
  ],
  host: [readHost, { "http://nas": "neither", "nas:443": "neither", "192.168.1.300": "neither", NAS: "neither", "": "neither" }],
  "time zone": [
    readTimezone,
    {
      "Europe/Zürich": "did you mean Europe/Zurich?",
      EST5: "not a time zone",
      "+02:00": "not a time zone",
      "europe/berlin": "did you mean Europe/Berlin?",
      "etc/utc": "did you mean Etc/UTC?",
      "us/eastern": "not a time zone",
      "": "not a time zone",
    },
  ],
  "cluster's name": [
    readClusterName,
    { "": "not a valid", home_ops: "not a valid", "x-": "not a valid", ["x".repeat(64)]: "not a valid", "a.b": "not a valid" },
  ],
  "node's name": [
    name,
    {
      "": "is empty",
      "k8s-0.example.com": "contains a dot, which TrueNAS does not allow in VM names (write k8s-0;",
      k8s_0: "contains an underscore, which host names do not allow (write k8s-0; its VM is then called k8s_0",
      "K8S-0": "upper-case letters, which Kubernetes does not allow in node names (write k8s-0;",
      "knoten-ä": "outside ASCII, which neither TrueNAS nor host names allow",
      "a b": 'contains " ", which host names do not allow',
      "-a": "begins or ends with a dash",
      ["x".repeat(64)]: "longer than 63 characters",
    },
  ],
  interface: [readInterface, { "0br": "network interface", "br 0": "network interface", averyveryverylongname: "network interface" }],
  "name in vSphere": [readInventoryName, { "a/b": "vSphere", " a": "vSphere", "": "vSphere" }],
  "name in the vault": [readVaultName, { "a/b": "op://", 'a"b': "op://", $x: "op://", " a": "op://", "": "op://" }],
  dataset: [
    readDataset,
    {
      "/mnt/tank/ISO/": "the dataset is tank/ISO",
      "/tank": "not a dataset name",
      "tank/": "not a dataset name",
      "tank//x": "not a dataset name",
      "tank/a b": "not a dataset name",
    },
  ],
  path: [readPath, { "mnt/x": "absolute", "": "absolute", "//x": "absolute" }],
  "Git URL": [
    readGitUrl,
    {
      "git@github.com:me/x.git": "write ssh://git@github.com/me/x.git",
      "git.lan:x": "write ssh://git@git.lan/x",
      "https://me:pw@github.com/me/x": "a user or a password",
      "https://me@github.com/x": "a user or a password",
      "github.com/me/x": "not a Git URL",
      "https://github.com": "not a Git URL",
      "file:///x": "not a Git URL",
    },
  ],
  branch: [
    readBranch,
    {
      "": "not a branch",
      "a b": "not a branch",
      "-x": "not a branch",
      "a..b": "not a branch",
      "x.lock": "not a branch",
      "/a": "not a branch",
      "a/": "not a branch",
      "@": "not a branch",
      "refs^": "not a branch",
    },
  ],
  "web URL": [readWebUrl, { "192.168.1.1:3000": "not a URL", "ftp://x": "not a URL", "": "not a URL" }],
  "label's key": [
    readLabelKey,
    {
      "": "not a label key",
      "-a": "not a label key",
      "a/b/c": "not a label key",
      "A.b/c": "not a label key",
      "/x": "not a label key",
      ["x".repeat(64)]: "not a label key",
    },
  ],
  "label's value": [readLabelValue, { "a b": "not a label value", "-a": "not a label value", ["x".repeat(64)]: "not a label value" }],
};
describe.each(Object.entries(BAD))("a bad %s", (_, [read, words]) => {
  test.each(Object.entries(words))("%j", (typed, says) => {
    const reading = read(typed);
    expect(reading).toEqual({ wrong: expect.stringContaining(says) });
  });
});

test.each([
  ["00:A0:98:28:C8:83", "00:a0:98:28:c8:83"],
  ["00-a0-98-28-c8-83", "00:a0:98:28:c8:83"],
  ["00a09828c883", "00:a0:98:28:c8:83"],
])("the MAC %s is %s", (typed, value) => expect(readMac(typed)).toEqual({ value }));
test.each([
  ["00:a0:98:28:c8", "is not a MAC address"],
  ["00:a0:98:28:c8:8g", "is not a MAC address"],
  ["00a0.9828.c883", "is not a MAC address"],
  ["00:a0-98:28:c8:83", "is not a MAC address"],
  ["ff:ff:ff:ff:ff:ff", "the first pair must be even, for example fe:ff:ff:ff:ff:ff"],
  ["00:00:00:00:00:00", "is not the address of a network card"],
])("%s is refused: %s", (typed, says) => expect(readMac(typed)).toEqual({ wrong: expect.stringContaining(says) }));

test.each([
  ["48GiB", 48 * 2 ** 30],
  ["48 GiB", 48 * 2 ** 30],
  ["512MiB", 2 ** 29],
  ["1.5TB", 1.5e12],
  ["500GB", 500e9],
  ["2TiB", 2 ** 41],
  ["20000MB", 20e9],
])("%s is %d bytes", (typed, value) => expect(readSize(typed)).toEqual({ value }));
test.each([
  ["48", "has no unit (48GiB or 48GB? Units are MiB, GiB, TiB, MB, GB or TB)"],
  ["48G", '"G" is not a unit of size (48GiB? Units are'],
  ["48gib", '"gib" is not a unit of size (48GiB? Units are'],
  ["48gb", '"gb" is not a unit of size (48GB? Units are'],
  ["1T", "(1TiB?"],
  ["5PB", '"PB" is not a unit of size (Units are'],
  ["much", "is not a size (a number and a unit"],
  ["-1GB", "is not a size"],
  ["", "is not a size"],
])("the size %j is refused: %s", (typed, says) => expect(readSize(typed)).toEqual({ wrong: expect.stringContaining(says) }));

test.each([
  ["https://192.168.120.100:6443", { url: "https://192.168.120.100:6443", address: "192.168.120.100", port: 6443 }],
  ["https://10.0.0.2:443/", { url: "https://10.0.0.2:443", address: "10.0.0.2", port: 443 }],
])("the endpoint %s is taken apart", (typed, value) => expect(readEndpoint(typed)).toEqual({ value }));
test.each([
  ["http://192.168.120.100:6443", "is not an https URL"],
  ["192.168.120.100:6443", "is not an https URL"],
  ["https://", "is not an https URL"],
  ["https://k8s.lan:6443", "the URL must contain it"],
  ["https://192.168.120.100", "the API server listens on 6443: https://192.168.120.100:6443"],
  ["https://192.168.120.100:66000", "66000 is not a port"],
  ["https://192.168.120.100:6443/api", "has a path"],
])("the endpoint %s is refused: %s", (typed, says) => expect(readEndpoint(typed)).toEqual({ wrong: expect.stringContaining(says) }));
