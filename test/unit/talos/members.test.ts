// Whether a cluster that lives knows a node at an address, by what etcd and Kubernetes say.
import { describe, expect, test } from "vitest";
import { membersOf } from "../../../scripts/lib/talos/etcd.ts";
import { combine, knownNodes, type Registered } from "../../../scripts/lib/talos/members.ts";
import { record } from "../recorder.ts";
import { ADDRESSES, folderWith, kubeconfigOf, newAuthority, secrets, talosconfigOf, withCertificate } from "./home.ts";

const HEAD = "NODE             ID                 HOSTNAME   PEER URLS                      CLIENT URLS                    LEARNER";
const row = (i: number, name = `k8s-${i}`) =>
  `192.168.122.10   e5d4c3b2a190000${i}   ${name.padEnd(10)} https://192.168.122.1${i}:2380    https://192.168.122.1${i}:2379    false`;
const etcd = (...rows: string[]) => [{ node: "k8s-0", members: membersOf([HEAD, ...rows].join("\n")) }];
const node = (name: string, address: string, ready = "True"): Registered => ({
  metadata: { name },
  status: {
    conditions: [{ type: "Ready", status: ready }],
    addresses: [
      { type: "Hostname", address: name },
      { type: "InternalIP", address },
    ],
  },
});

describe("known", () => {
  test("is a member of etcd", () =>
    expect(combine(etcd(row(0), row(1)), undefined)).toEqual({
      nodes: new Map([
        ["192.168.122.10", "etcd counts it as member k8s-0"],
        ["192.168.122.11", "etcd counts it as member k8s-1"],
      ]),
    }));
  test("is a member that has not started yet and so has no name", () =>
    expect(combine(etcd(row(2, "")), undefined).nodes.get("192.168.122.12")).toMatch(/^etcd counts it as member/));
  test("is a member with an IPv6 address", () =>
    expect([...combine(etcd("x   1   k8s-0   https://[fd00::10]:2380   https://[fd00::10]:2379   false"), undefined).nodes.keys()]).toEqual(
      ["fd00::10"],
    ));
  test("is a node that Kubernetes hears from", () =>
    expect(combine([], { nodes: [node("k8s-1", ADDRESSES[1]!)] }).nodes.get(ADDRESSES[1]!)).toBe("Kubernetes has it as node k8s-1, Ready"));
  test.each(["False", "Unknown"])("is no node that Kubernetes does not hear from (Ready %s)", (ready) =>
    expect(combine([], { nodes: [node("k8s-1", ADDRESSES[1]!, ready)] }).nodes.size).toBe(0),
  );
});

describe("unknown", () => {
  test("when nobody who may know could be asked", () =>
    expect(
      combine([{ node: "k8s-0", unseen: "rpc error: code = Unavailable desc = i/o timeout" }], { unseen: "no route to host" }),
    ).toEqual({
      nodes: new Map(),
      unknown: "k8s-0: i/o timeout; Kubernetes: no route to host",
    }));
  test("is nothing where one of the two answered", () => {
    expect(combine(etcd(row(0)), { unseen: "no route to host" }).unknown).toBeUndefined();
    expect(combine([{ node: "k8s-0", unseen: "i/o timeout" }], { nodes: [] }).unknown).toBeUndefined();
  });
  test("is nothing where no cluster exists yet", () =>
    expect(combine([{ node: "k8s-0", without: "etcd never ran" }], undefined)).toEqual({ nodes: new Map() }));
});

describe("asking", () => {
  const ask = async (files: Record<string, string>, kubectl = JSON.stringify({ items: [node("k8s-1", ADDRESSES[1]!)] })) => {
    const { env } = folderWith({ talosconfig: talosconfigOf(), ...files });
    const answers = {
      [`${withCertificate(env.TALOSCONFIG, 0)} etcd members`]: [HEAD, row(0)].join("\n"),
      "kubectl get nodes": kubectl,
    };
    const lab = await record({ env, secrets, answers });
    return { known: await knownNodes(lab.context, [lab.context.cluster.nodes[0]!]), commands: lab.commands };
  };
  test("without a kubeconfig asks etcd alone: kubectl would ask whoever listens here", async () => {
    const { known, commands } = await ask({});
    expect([...known.nodes.keys()]).toEqual([ADDRESSES[0]]);
    expect(commands.some((line) => line.includes("kubectl"))).toBe(false);
  });
  test("with a kubeconfig of this cluster asks both", async () =>
    expect([...(await ask({ kubeconfig: kubeconfigOf() })).known.nodes.keys()].toSorted()).toEqual([ADDRESSES[0], ADDRESSES[1]]));
  test("with another cluster's kubeconfig asks that cluster nothing", async () => {
    const { known, commands } = await ask({ kubeconfig: kubeconfigOf({ ca: newAuthority("another") }) });
    expect([...known.nodes.keys()]).toEqual([ADDRESSES[0]]);
    expect(commands.some((line) => line.includes("kubectl"))).toBe(false);
  });
});
