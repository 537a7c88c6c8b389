// What goes wrong in the home, as the real talosctl meets it.
import { afterEach, expect, test } from "vitest";
import { A, B, C, EMPTY, type Live, liveWorld } from "../../lab/simulators/talos/live-world.ts";
import { real } from "./run.ts";

let live: Live;
const opened = async (nodes = 3) => {
  live = await liveWorld();
  if (nodes > 0) await live.build(nodes);
};
afterEach(() => live.close());

const image = `factory.talos.dev/metal-installer/${EMPTY}:v1.13.8`;

test("a stream that drops in the middle of an upgrade leaves the node as it was, and the next one goes through", async () => {
  await opened();
  live.fault("talos-drops-stream");
  const words = ["upgrade", "-n", B, "--image", image, "--drain=false"];
  const dropped = await real(live, ...words);
  expect([dropped.code, live.machine(B).next]).toEqual([1, undefined]);
  expect(dropped.err).toContain("code = Unavailable desc = error reading from server: EOF");
  expect((await real(live, ...words)).code).toBe(0);
  expect(live.machine(B).installed?.talos).toBe("v1.13.8");
});

test("a reply that drops after an apply: the node has the config all the same", async () => {
  await opened(1);
  live.fault("talos-drops-stream");
  const path = live.config("k8s-0", { machine: { sysctls: { a: "1" } } });
  const { code, err } = await real(live, "apply-config", "-n", A, "-f", path);
  expect(code).toBe(1);
  expect(err).toContain("error applying new configuration: ");
  expect(err).toContain("code = Unavailable desc = error reading from server: EOF");
  expect(live.machine(A).config!.active).toContain("sysctls");
});

test("a node that boots its old version tells it by its version alone", async () => {
  await opened();
  live.fault("node-boots-old-version");
  expect((await real(live, "upgrade", "-n", B, "--image", image, "--drain=false")).code).toBe(0);
  expect((await real(live, "version", "-n", B)).out).toMatch(/NODE: +192\.168\.122\.11\n\tTag: +v1\.13\.9\n/);
});

test("a member that never joins is missing from etcd, and joins once it may", async () => {
  live = await liveWorld();
  live.fault("etcd-never-joins", 1e9);
  await live.install(3);
  await real(live, "bootstrap", "-n", A);
  const members = async () => (await real(live, "etcd", "members", "-n", A)).out.trim().split("\n").length - 1;
  await live.until("two are members", () => [B, C].filter((node) => live.machine(node).etcd).length === 1);
  await live.until("it serves", () => [A, B, C].every((node) => (live.machine(node).etcd?.readyAt ?? 0) < live.world.now()));
  expect(await members()).toBe(2);
  live.fault("etcd-never-joins", 0);
  await live.until("all are members", () => [A, B, C].every((node) => (live.machine(node).etcd?.readyAt ?? Infinity) < live.world.now()));
  expect(await members()).toBe(3);
});

test("a clock that is not in sync refuses the bootstrap for a while", async () => {
  live = await liveWorld();
  live.fault("time-not-in-sync");
  await live.install(1);
  expect((await real(live, "bootstrap", "-n", A)).err).toContain("code = FailedPrecondition desc = time is not in sync yet");
  await live.until("it is in sync", () => live.machine(A).syncedFrom! < live.world.now());
  expect((await real(live, "bootstrap", "-n", A)).code).toBe(0);
});

test("a node that stays away after a reboot is waited for in vain, and its API is not there", async () => {
  await opened();
  live.fault("node-stays-away", 1e9);
  const { code, err } = await real(live, "reboot", "-n", B, "--timeout", "4s");
  expect(code).toBe(1);
  expect(err).toContain(`"${B}": unavailable, retrying...`);
  expect(live.portOf(B)).toBeUndefined();
  live.fault("node-stays-away", 0);
  await live.until("it is back", () => live.portOf(B) !== undefined);
});
