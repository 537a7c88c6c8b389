// What changes a cluster: in two equal worlds the stand-in and the real talosctl end alike, say the same and leave the same behind.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fingerprintAt } from "../../../scripts/lib/talos/handshake.ts";
import { answers } from "../../simulators/world/talos/machines.ts";
import { A, B, C, EMPTY, type Live, liveWorld } from "../../lab/simulators/talos/live-world.ts";
import { meant, real } from "./run.ts";
import type { MachineState } from "../../simulators/world/talos/machine-state.ts";

let mine: Live;
let theirs: Live;
beforeAll(async () => {
  [mine, theirs] = await Promise.all([liveWorld(), liveWorld()]);
});
afterAll(() => Promise.all([mine.close(), theirs.close()]));

const image = (version: string) => `factory.talos.dev/metal-installer/${EMPTY}:${version}`;

/** What counts of a machine when two worlds are compared: nothing random, no times. */
const left = ({ stage, installed, next, previous, config, etcd }: MachineState) => ({
  stage,
  installed: installed?.talos,
  next: next?.talos,
  previous: previous?.talos,
  staged: config && config.active !== config.persistent,
  active: config?.active,
  etcd: etcd && (etcd.out ?? "member"),
});
const all = ({ machine }: Live) => [A, B, C].map((node) => left(machine(node)));

/** As the product reads it: by its own handshake, through the proxy. */
const fingerprintOf = ({ environment }: Live, node: string) =>
  fingerprintAt(node, { env: environment, signal: new AbortController().signal });
const pinned = (fingerprint: string) => ["apply-config", "--insecure", "--cert-fingerprint", fingerprint, "-n"];

/** Runs a line in both worlds and waits until nothing moves. `words` sees the world it is for. */
async function both(words: (live: Live) => string[]) {
  const [standIn, tool] = await Promise.all([mine.standIn(...words(mine)), real(theirs, ...words(theirs))]);
  await Promise.all([mine, theirs].map((live) => live.until("it is quiet", () => quiet(live), 6)));
  return { standIn, tool };
}

const quiet = (live: Live) =>
  [A, B, C].map(live.machine).every((machine) => {
    if (machine.due !== undefined || machine.leaving) return false;
    if (!answers(machine)) return machine.stage === "off";
    return live.portOf(machine.lease) !== undefined && (machine.readyFrom ?? 0) <= live.world.now();
  });

async function expectSame(words: (live: Live) => string[]) {
  const { standIn, tool } = await both(words);
  expect(meant(standIn)).toEqual(meant(tool));
  expect(all(mine)).toEqual(all(theirs));
}

describe("a new machine", () => {
  test("refuses what is no config", () =>
    expectSame((live) => ["apply-config", "--insecure", "-n", A, "-f", live.config("bad", { machine: { foo: "bar" } })]));
  test("shows in a dry run what it would take", () =>
    expectSame((live) => ["apply-config", "--insecure", "-n", A, "-f", live.config("k8s-0"), "--dry-run"]));
  test("lists its disks to anyone", () => expectSame(() => ["get", "disks", "--insecure", "-n", A, "--output", "json"]));
  test("lists what is on them to anyone", () => expectSame(() => ["get", "discoveredvolumes", "--insecure", "-n", A, "--output", "json"]));
  test("is sent nothing when its certificate is not the one that was asked for", async () => {
    const line = (live: Live) => [...pinned("N/aSN+U0n9i3Vj0J3R1zN0m3xkz5wP2rVfYl2y0yDdQ="), A, "-f", live.config("k8s-0")];
    await expectSame(line);
    expect(await real(theirs, ...line(theirs))).toMatchObject({ code: 1, err: expect.stringContaining("doesn't match the provided") });
  });
  test("has a key of its own", async () =>
    expect(new Set(await Promise.all([A, B, C].map((node) => fingerprintOf(theirs, node)))).size).toBe(3));
  test.each([
    [A, "k8s-0"],
    [B, "k8s-1"],
    [C, "k8s-2"],
  ])("%s takes its config from whoever names its certificate, and installs", async (node, name) => {
    const fingerprints = new Map([
      [mine, await fingerprintOf(mine, node)],
      [theirs, await fingerprintOf(theirs, node)],
    ]);
    await expectSame((live) => [...pinned(fingerprints.get(live)!), node, "-f", live.config(name)]);
    expect(left(theirs.machine(node))).toMatchObject({ stage: "running" });
  });
  test("refuses to be bootstrapped as two", () => expectSame(() => ["bootstrap", "-n", `${A},${B}`]));
  test("is bootstrapped, and only once", async () => {
    const { standIn, tool } = await both(() => ["bootstrap", "-n", A]);
    expect([standIn, tool]).toEqual([
      { code: 0, out: "", err: "" },
      { code: 0, out: "", err: "" },
    ]);
    const joined = ({ machine, world }: Live) => [A, B, C].every((node) => (machine(node).etcd?.readyAt ?? Infinity) < world.now());
    await Promise.all([mine, theirs].map((live) => live.until("all have joined", () => joined(live))));
    await expectSame(() => ["bootstrap", "-n", A]);
    await Promise.all([mine.network(), theirs.network()]);
  });
});

describe("apply-config", () => {
  const expectSameApply = (machine: object, ...more: string[]) =>
    expectSame((live) => ["apply-config", "-n", A, "-f", live.config("k8s-0", { machine }), ...more]);
  const encrypted = { systemDiskEncryption: { ephemeral: { provider: "luks2" } } };
  test("no difference", () => expectSameApply({}, "--dry-run"));
  test("takes what is live at once", () => expectSameApply({ sysctls: { a: "1" } }));
  test("tries", () => expectSameApply({ sysctls: { a: "2" } }, "--mode", "try", "--timeout", "90s"));
  test("tells in a dry run that it would reboot", () => expectSameApply(encrypted, "--dry-run"));
  test("refuses without a reboot what needs one", () => expectSameApply(encrypted, "--mode", "no-reboot"));
  test("stages", () => expectSameApply(encrypted, "--mode", "staged"));
  test("reboots for what needs it", () => expectSameApply(encrypted));
  test("reboots when it is told to", () => expectSameApply({ sysctls: { a: "3" }, ...encrypted }, "--mode", "reboot"));
  test("refuses a mode that is none", () => expectSameApply({}, "--mode", "nonsense"));
  test("a file that is not there", () => expectSame(() => ["apply-config", "-n", A, "-f", "/nowhere.yaml"]));
});

describe("etcd", () => {
  test("leadership goes to another", () => expectSame(() => ["etcd", "forfeit-leadership", "-n", A]));
  test("a snapshot", () => expectSame(() => ["etcd", "snapshot", "db", "-n", A]));
  test("no alarms", () => expectSame(() => ["etcd", "alarm", "list", "-n", A]));
  test("no member by that id", () => expectSame(() => ["etcd", "remove-member", "00000000000000aa", "-n", A]));
  test("no id at all", () => expectSame(() => ["etcd", "remove-member", "zz", "-n", A]));
  test("a member is put out", () => expectSame((live) => ["etcd", "remove-member", live.machine(C).etcd!.id, "-n", A]));
  test("who was put out has nothing to say", () => expectSame(() => ["etcd", "members", "-n", C]));
});

describe("files, logs and health", () => {
  test.each([["read", "/etc/os-release"], ["read", "/nope"], ["dmesg"], ["logs", "etcd"], ["logs", "nonsense"]])("%s %s", (...words) =>
    expectSame(() => [...words.filter(Boolean), "-n", A]),
  );
});

/** Followed sequences say on the way what depends on when the client looked: the end counts. */
async function expectSameEnd(words: (live: Live) => string[]) {
  const { standIn, tool } = await both(words);
  expect([standIn.code, standIn.err.trim().split("\n").at(-1)]).toEqual([tool.code, tool.err.trim().split("\n").at(-1)]);
  expect(all(mine)).toEqual(all(theirs));
}

describe("what takes a node down", () => {
  test("a reset that keeps the system brings it to maintenance", () =>
    expectSameEnd(() => [
      "reset",
      "-n",
      C,
      "--system-labels-to-wipe",
      "STATE",
      "--system-labels-to-wipe",
      "EPHEMERAL",
      "--reboot",
      "--graceful=false",
    ]));
  test("a partition that is none", () => expectSameEnd(() => ["reset", "-n", B, "--system-labels-to-wipe", "FOO"]));
  test("an image that is not there", () => expectSameEnd(() => ["upgrade", "-n", B, "--image", image("v1.99.0"), "--drain=false"]));
  test("an upgrade without a reboot is written down", () =>
    expectSameEnd(() => ["upgrade", "-n", B, "--image", image("v1.13.8"), "--no-reboot"]));
  test("a reboot takes it", () => expectSameEnd(() => ["reboot", "-n", B]));
  test("an older node is pointed out", () => expectSame(() => ["get", "hostname", "-n", B]));
  test("a rollback brings back what was there", () => expectSame(() => ["rollback", "-n", B]));
  test("a shutdown ends with the VM off", () => expectSameEnd(() => ["shutdown", "-n", B]));
  test("a node that is off cannot be rebooted", () => expectSameEnd(() => ["reboot", "-n", B]));
});
