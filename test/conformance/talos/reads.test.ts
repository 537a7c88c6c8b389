// What is only asked of a cluster that runs: the stand-in and the real talosctl say the same in the same world.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createAuthority } from "../../simulators/world/certificates.ts";
import { A, B, C, type Live, liveWorld } from "../../lab/simulators/talos/live-world.ts";
import { meant, real, realAs } from "./run.ts";

let live: Live;
beforeAll(async () => {
  live = await liveWorld();
  await live.build();
});
afterAll(() => live.close());

const KINDS = [
  "members",
  "machinestatus",
  "machineconfig",
  "machinetype",
  "extensions",
  "disks",
  "systemdisk",
  "discoveredvolumes",
  "links",
  "addresses",
  "hostname",
  "nodename",
  "etcdmembers",
  "services",
  "timestatus",
  "kubeletspec",
  "apiserverconfig",
  "controllermanagerconfig",
  "schedulerconfig",
];

const LINES = [
  ["version"],
  ["version", "--short"],
  ["version", "--client"],
  ["etcd", "members"],
  ["etcd", "status"],
  ["services"],
  ["service", "etcd"],
  ["service", "nonsense"],
  ["list", "/var/lib/etcd"],
  ["time"],
  ["health", "--wait-timeout", "10s"],
  ["kubeconfig", "-", "--merge=false"],
  ["get", "nodename", "x"],
  ["get", "machineconfig", "v1alpha1", "--output", "jsonpath={.spec}"],
  ["get", "machinestatus", "--output", "jsonpath={.spec.status.ready}"],
  ["get", "services", "kubelet", "--output", "json"],
  ["--insecure", "version"],
  ["--insecure", "--nodes", "192.168.122.10", "version"],
  ["--output", "json", "get", "members"],
  ["version", "--nodes", "192.168.122.99"],
  ["get", "members", "--nodes", "192.168.122.99"],
  ["version", "--insecure"],
  ["get", "machinestatus", "--insecure"],
].map((argv) => ({ line: [...argv, ...(argv.includes("--nodes") ? [] : ["--nodes", A])], words: argv.join(" ") }));

test.each(LINES)("talosctl $words", async ({ line }) => {
  expect(meant(await live.standIn(...line))).toEqual(meant(await real(live, ...line)));
});

test.each(KINDS)("get %s as a table, as JSON and as YAML", async (kind) => {
  for (const output of ["table", "json", "yaml"]) {
    const line = ["get", kind, "--output", output, "--nodes", `${A},${B}`];
    expect(meant(await live.standIn(...line))).toEqual(meant(await real(live, ...line)));
  }
});

test("a cluster of another CA is not trusted, in the same words", async () => {
  const other = createAuthority({ subject: { organizations: ["talos"] }, days: 1, kind: "ed25519" });
  const config = parse(readFileSync(live.environment.TALOSCONFIG!, "utf8")) as { contexts: { home: { ca: string } } };
  config.contexts.home.ca = Buffer.from(other.cert).toString("base64");
  const path = join(live.folder, "other.talosconfig");
  writeFileSync(path, stringify(config));
  const line = ["--talosconfig", path, "version", "--nodes", A];
  expect(meant(await live.standIn(...line))).toEqual(meant(await real(live, ...line)));
});

test("who may only read is not shown a machine config, and changes nothing", async () => {
  const asked = (...words: string[]) => realAs(live, "os:reader", ...words, "--nodes", A);
  expect((await asked("get", "machinestatus")).code).toBe(0);
  const denied = "code = PermissionDenied desc = not authorized";
  expect(await asked("get", "machineconfig")).toMatchObject({ code: 1, err: expect.stringContaining(denied) });
  expect(await asked("reboot", "--wait=false")).toMatchObject({ code: 1, err: expect.stringContaining(denied) });
  expect(await asked("read", "/system/state/config.yaml")).toMatchObject({ code: 1, err: expect.stringContaining(denied) });
});

test.each(["version", "etcd members", "etcd status", "services", "time", "get members", "bootstrap", "kubeconfig x"])(
  "%s of two nodes of which one is away",
  async (words) => {
    live.power("k8s_2", false);
    await live.until("it is off", () => live.machine(C).stage === "off");
    const line = [...words.split(" "), "--nodes", `${A},${C}`];
    expect(meant(await live.standIn(...line))).toEqual(meant(await real(live, ...line)));
  },
);
