// A machine that answers without a config is installed only when it is the one that is meant.
import { describe, expect, test } from "vitest";
import { wrongMachine } from "../../../scripts/lib/talos/node.ts";
import { type Answer, record } from "../recorder.ts";

const link = (mac: string) => `${JSON.stringify({ node: "", spec: { hardwareAddr: mac, permanentAddr: mac } }, null, 4)}\n`;
const seen = async (answer: Answer | Answer[], waive: string[] = []) => {
  const { context } = await record({ answers: { "talosctl --talosconfig /home/op/talosconfig": answer } });
  return wrongMachine({ ...context, waive }, context.cluster.nodes[0]!);
};
const SILENT = { err: "rpc error: code = Unimplemented desc = API is not implemented in maintenance mode", code: 1 };

describe("a machine in maintenance", () => {
  test("with the node's NIC is the node", async () =>
    expect(await seen(link("00:00:00:00:00:00") + link("00:A0:98:28:C8:83"))).toBeUndefined());
  test("with another NIC is another machine, and both are named", async () =>
    expect(await seen(link("00:a0:98:ff:ff:ff"))).toBe(
      "the machine at 192.168.122.10 has NIC 00:a0:98:ff:ff:ff, talos/cluster.yaml says 00:a0:98:28:c8:83: is its address another's?",
    ));
  test("that does not tell its NICs could be any, and is refused", async () => {
    expect(await seen(SILENT)).toBe(
      "the machine at 192.168.122.10 does not tell its NICs: API is not implemented in maintenance mode; look at its console, and if it is k8s-0: WAIVE=nic",
    );
    expect(await seen(link("00:00:00:00:00:00"))).toBe(
      "the machine at 192.168.122.10 does not tell its NICs; look at its console, and if it is k8s-0: WAIVE=nic",
    );
  });
  test("that does not tell its NICs is taken for the node once a person says so by name", async () =>
    expect(await seen(SILENT, ["nic"])).toBeUndefined());
  test("with another NIC is refused whatever is waived", async () =>
    expect(await seen(link("00:a0:98:ff:ff:ff"), ["nic"])).toMatch(/has NIC 00:a0:98:ff:ff:ff/));
  test("is asked again when an answer got lost", async () => {
    expect(await seen([{ err: "error reading from server: EOF", code: 1 }, link("00:a0:98:28:c8:83")])).toBeUndefined();
  });
});
