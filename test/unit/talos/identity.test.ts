// A machine that answers without a config: whether one and the same machine was read, and whether it is the one that is meant.
import { describe, expect, test } from "vitest";
import { useHandshake } from "../../../scripts/lib/talos/handshake.ts";
import { identify, type Machine, wrongMachine } from "../../../scripts/lib/talos/identity.ts";
import { type Answers, record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";

const NODE = testCluster().nodes[0]!;
const json = (...specs: [id: string, spec: object][]) =>
  specs.map(([id, spec]) => `${JSON.stringify({ metadata: { id }, node: "", spec }, null, 4)}\n`).join("");
const OPENLY = "talosctl --talosconfig /home/op/talosconfig --nodes 192.168.122.10";
const LOST = { err: "error reading from server: EOF", code: 1 };
const SILENT = { err: "rpc error: code = Unimplemented desc = API is not implemented in maintenance mode", code: 1 };

const answers = (more: Answers = {}): Answers => ({
  "talosctl version": "Client:\nTalos v1.13.9\n",
  [`${OPENLY} get links`]: json(
    ["lo", { hardwareAddr: "00:00:00:00:00:00" }],
    ["eth0", { permanentAddr: "00:A0:98:28:C8:83", hardwareAddr: "" }],
  ),
  [`${OPENLY} get disks`]: json(["vda", { dev_path: "/dev/vda", pretty_size: "500 GB" }]),
  [`${OPENLY} get discoveredvolumes`]: json(["vda", { name: "" }]),
  ...more,
});

async function look(fingerprints: (string | Error)[], more: Answers = {}) {
  const lab = await record({ answers: answers(more) });
  let at = 0;
  useHandshake(async () => {
    const shown = fingerprints[Math.min(at++, fingerprints.length - 1)]!;
    if (shown instanceof Error) throw shown;
    return shown;
  });
  const seen = await identify(lab.context, NODE, { install: "/dev/vda", data: "/dev/vdb" });
  return { seen, commands: lab.commands, handshakes: at };
}

describe("a machine in maintenance mode", () => {
  test("is read between two handshakes that show the same certificate", async () => {
    const { seen, commands, handshakes } = await look(["a"]);
    expect(seen).toEqual({
      fingerprint: "a",
      macs: { got: ["00:a0:98:28:c8:83"] },
      disks: [{ device: "/dev/vda", role: "system", size: "500 GB", holds: { blank: true } }],
    });
    expect(handshakes).toBe(2);
    expect(commands).toEqual([
      "ask talosctl version --client --short",
      `ask ${OPENLY} get links --insecure --output json`,
      `ask ${OPENLY} get disks --insecure --output json`,
      `ask ${OPENLY} get discoveredvolumes --insecure --output json`,
    ]);
  });
  test("is read again when the certificate was renewed meanwhile: Talos does so when it sets its clock", async () => {
    const { seen, handshakes } = await look(["a", "b", "b", "b"]);
    expect([seen, handshakes]).toEqual([expect.objectContaining({ fingerprint: "b" }), 4]);
  });
  test("whose certificate changes in every look is not one machine", async () => {
    const { seen } = await look(["a", "b", "a", "b", "a", "b"]);
    expect(seen).toEqual({
      said: "the certificate at 192.168.122.10 changed in each of 3 looks: two machines may have this address",
      away: false,
    });
  });
  test("that shows no certificate is away", async () =>
    expect((await look([new Error("connect ECONNREFUSED")])).seen).toEqual({
      said: "its certificate could not be read: connect ECONNREFUSED",
      away: true,
    }));
  test("that goes away during the look is away", async () =>
    expect((await look(["a", new Error("read ECONNRESET")])).seen).toMatchObject({ away: true }));
  test("is asked again when an answer got lost", async () => {
    const { seen } = await look(["a"], { [`${OPENLY} get links`]: [LOST, json(["eth0", { hardwareAddr: "00:a0:98:28:c8:83" }])] });
    expect(seen).toMatchObject({ macs: { got: ["00:a0:98:28:c8:83"] } });
  });
  test.each([
    ["is cut off", '{"metadata": {"id": "vda"}, "spec": {"dev_'],
    ["lacks the disk's name", '{"spec": {}}'],
    ["is no JSON", "WARNING: something else"],
  ])("whose list of disks %s may hold data", async (_, out) =>
    expect((await look(["a"], { [`${OPENLY} get disks`]: out })).seen).toMatchObject({
      disks: [{ holds: { unknown: expect.stringContaining("talosctl get disks --insecure --nodes 192.168.122.10") } }],
    }),
  );
  test("whose list of disks is empty may hold data", async () =>
    expect((await look(["a"], { [`${OPENLY} get disks`]: "" })).seen).toMatchObject({
      disks: [{ holds: { unknown: expect.any(String) } }],
    }));
  test("that does not report its disks may hold data", async () =>
    expect((await look(["a"], { [`${OPENLY} get disks`]: SILENT })).seen).toMatchObject({
      disks: [{ device: "/dev/vda", role: "system", holds: { unknown: "API is not implemented in maintenance mode" } }],
    }));
});

test("talosctl 1.14 binds each read to the certificate", async () => {
  const { commands } = await look(["a+/="], { "talosctl version": "Client:\nTalos v1.14.1\n" });
  expect(commands[1]).toBe(`ask ${OPENLY} get links --insecure --cert-fingerprint $'a+/=' --output json`);
});
test("a talosctl whose version cannot be read is a failure, not an old one", async () =>
  expect(look(["a"], { "talosctl version": { err: "exec format error", code: 126 } })).rejects.toThrow(
    "could not read the version of talosctl\n  said: exec format error\n  next: mise install",
  ));

describe("who it is", () => {
  const wrong = (macs: Machine["macs"], waive: string[] = []) => wrongMachine({ macs }, NODE, waive);
  test("with the node's NIC it is the node", () => expect(wrong({ got: ["00:a0:98:28:c8:83"] })).toBeUndefined());
  test("with another NIC it is another machine, and both are named", () =>
    expect(wrong({ got: ["00:a0:98:ff:ff:ff"] })).toBe(
      "the machine at 192.168.122.10 has NIC 00:a0:98:ff:ff:ff, talos/cluster.yaml says 00:a0:98:28:c8:83: another machine may have this address",
    ));
  test("with another NIC it is refused whatever is waived", () =>
    expect(wrong({ got: ["00:a0:98:ff:ff:ff"] }, ["nic"])).toMatch(/has NIC/));
  test("without a report of its NICs it could be any, and is refused", () => {
    expect(wrong({ said: "API is not implemented in maintenance mode" })).toBe(
      "the machine at 192.168.122.10 does not report its NICs: API is not implemented in maintenance mode; look at its console, and if it is k8s-0: WAIVE=nic",
    );
    expect(wrong({ got: [] })).toBe(
      "the machine at 192.168.122.10 does not report its NICs; look at its console, and if it is k8s-0: WAIVE=nic",
    );
  });
  test("without a report of its NICs it is the node once the person vouches for it by name", () =>
    expect(wrong({ got: [] }, ["nic"])).toBeUndefined());
});
