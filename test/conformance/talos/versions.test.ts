// Nodes of an older and of a newer Talos than the client, to which stand-in and real talosctl say the same.
// No talosctl of 1.14 was to be had: how a node of 1.14 behaves follows the release's own words and source alone; only what the client of 1.13 makes of it is checked here.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { A, B, EMPTY, type Live, liveWorld } from "../../lab/simulators/talos/live-world.ts";
import { meant, real } from "./run.ts";

let live: Live;
const image = (version: string) => `factory.talos.dev/metal-installer/${EMPTY}:${version}`;

async function expectSame(...words: string[]) {
  const [standIn, tool] = [await live.standIn(...words), await real(live, ...words)];
  expect(meant(standIn)).toEqual(meant(tool));
  return tool;
}

const open = (talos: string) => {
  beforeAll(async () => void (live = await liveWorld({ talos })));
  afterAll(() => live.close());
};

describe("1.12", () => {
  open("v1.12.11");
  test("in maintenance has no version to tell", async () => {
    const { err } = await expectSame("version", "--insecure", "-n", A);
    expect(err).toContain("code = Unimplemented desc = API is not implemented in maintenance mode");
  });
  test("in maintenance stages nothing", async () => {
    const { err } = await expectSame("apply-config", "--insecure", "-n", A, "-f", live.config("k8s-0"), "--mode", "staged");
    expect(err).toContain("Unimplemented desc = apply configuration --mode='staged' is not supported in maintenance mode");
  });
  test("in maintenance a dry run has nothing to compare with", async () => {
    const { err } = await expectSame("apply-config", "--insecure", "-n", A, "-f", live.config("k8s-0"), "--dry-run");
    expect(err).toContain("Node is running in maintenance mode and does not have a config yet.");
  });
  test("is pointed out as older, and upgraded by the call that asks etcd first", async () => {
    await live.build(2);
    await expectSame("get", "hostname", "-n", A);
    const words = ["upgrade", "-n", B, "--image", image("v1.13.9"), "--drain=false"];
    const said = [await live.standIn(...words), await real(live, ...words)];
    for (const { code, err } of said) {
      expect(code).toBe(1);
      expect(err).toMatch(/New upgrade API is not available, falling back to legacy/);
      expect(err).toMatch(/etcd member count\(2\) is insufficient to maintain quorum if upgrade commences\n$/);
    }
  });
  test("goes to 1.13 when told to without asking", async () => {
    const { code } = await real(live, "upgrade", "-n", B, "--image", image("v1.13.9"), "--drain=false", "--force");
    expect([code, live.machine(B).installed?.talos]).toEqual([0, "v1.13.9"]);
  });
});

describe("1.14, by its documentation alone", () => {
  open("v1.14.0-rc.1");
  test("is reached by a client of 1.13", async () => {
    await live.build(1);
    await expectSame("version", "-n", A);
  });
  test("never reboots by itself for a config", async () => {
    const encrypted = live.config("k8s-0", { machine: { systemDiskEncryption: { ephemeral: { provider: "luks2" } } } });
    const boot = live.machine(A).bootId;
    const { err } = await real(live, "apply-config", "-n", A, "-f", encrypted);
    expect(err).toBe("Applied configuration without a reboot\n");
    expect([live.machine(A).stage, live.machine(A).bootId]).toEqual(["running", boot]);
  });
});
