// Whether a cluster that lives knows a node at an address, by what etcd and Kubernetes say.
import { describe, expect, test } from "vitest";
import { type EtcdView, membersOf } from "../../../scripts/lib/talos/etcd.ts";
import { combine, knownNodes, type Kubernetes, type Registered } from "../../../scripts/lib/talos/members.ts";
import type { NodeStage } from "../../../scripts/lib/talos/node.ts";
import { type Answer as Said, record } from "../recorder.ts";
import { ADDRESSES, folderWith, kubeconfigOf, newAuthority, NO_ROUTE, RUNNING, secrets, talosconfigOf, withCertificate } from "./home.ts";

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
    expect(combine(etcd(row(2, "")), undefined).nodes.get("192.168.122.12")).toBe("etcd counts it as member without a name"));
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

describe("unasked", () => {
  const TIMEOUT = { node: "k8s-0", unseen: "rpc error: code = Unavailable desc = i/o timeout" };
  const NO_ROUTE = { unseen: "no route to host" };
  const stage = (one: NodeStage) => new Map([["k8s-0", one]]);
  const RUNNING: NodeStage = { stage: "running", ready: true, unmet: [] };
  test("when nobody who may know could be asked", () =>
    expect(combine([TIMEOUT], NO_ROUTE).unasked!.why).toBe("k8s-0: i/o timeout; Kubernetes: no route to host"));
  test("is nothing where one of the two answered", () => {
    expect(combine(etcd(row(0)), NO_ROUTE).unasked).toBeUndefined();
    expect(combine([TIMEOUT], { nodes: [] }).unasked).toBeUndefined();
  });
  test("is nothing where no other node has etcd yet, as when a bootstrap resumes", () =>
    expect(combine([{ node: "k8s-0", without: "etcd never ran" }], undefined)).toEqual({ nodes: new Map() }));
  test("is nothing where there is no other node and no kubeconfig", () => expect(combine([], undefined)).toEqual({ nodes: new Map() }));

  describe("a cluster exists", () => {
    test.each<[string, EtcdView[], Kubernetes, Map<string, NodeStage>, string]>([
      [
        "when a node has etcd's data",
        [{ node: "k8s-0", stopped: "its etcd is down, and its data directory is not empty" }],
        undefined,
        new Map(),
        "k8s-0 has etcd's data",
      ],
      ["when a node runs with our config", [TIMEOUT], undefined, stage(RUNNING), "k8s-0 runs with a config of this cluster"],
      [
        "when a node has a config and refuses us",
        [TIMEOUT],
        undefined,
        stage({ stage: "foreign", said: "x" }),
        "k8s-0 has a config, of this cluster or of another",
      ],
      ["when the kubeconfig is ours and its API is down", [], NO_ROUTE, new Map(), "$KUBECONFIG is this cluster's"],
    ])("%s", (_, answers, kubernetes, stages, cluster) => expect(combine(answers, kubernetes, stages).unasked!.cluster).toBe(cluster));
    test.each<[string, Kubernetes, Map<string, NodeStage>]>([
      ["by a node that boots the ISO", undefined, stage({ stage: "maintenance" })],
      ["by another cluster's kubeconfig", { stranger: "its server is https://other:6443" }, new Map()],
    ])("is not proven %s", (_, kubernetes, stages) =>
      expect(combine([TIMEOUT], kubernetes, stages).unasked).toEqual({ why: expect.any(String) as string }),
    );
    test("is neither proven nor disproved by a node that does not answer", () =>
      expect(combine([TIMEOUT], undefined, stage({ stage: "unreachable", said: "no route to host" })).unasked).toEqual({
        why: "k8s-0: i/o timeout",
        silent: ["k8s-0"],
      }));
  });
});

describe("asking", () => {
  const ask = async (
    files: Record<string, string>,
    kubectl: Said = JSON.stringify({ items: [node("k8s-1", ADDRESSES[1]!)] }),
    members: Said = [HEAD, row(0)].join("\n"),
  ) => {
    const { env } = folderWith({ talosconfig: talosconfigOf(), ...files });
    const answers = {
      [`${withCertificate(env.TALOSCONFIG, 0)} etcd members`]: members,
      [`${withCertificate(env.TALOSCONFIG, 0)} get machinestatus`]: NO_ROUTE,
      "kubectl get nodes": kubectl,
    };
    const lab = await record({ env, secrets, answers });
    return { known: await knownNodes(lab.context, [lab.context.cluster.nodes[0]!]), commands: lab.commands };
  };
  test("a node whose etcd cannot be asked is asked whether it runs: then a cluster exists", async () => {
    const { env } = folderWith({ talosconfig: talosconfigOf() });
    const to = withCertificate(env.TALOSCONFIG, 0);
    const answers = { [`${to} etcd members`]: NO_ROUTE, [`${to} get machinestatus`]: RUNNING };
    const { context } = await record({ env, secrets, answers });
    expect((await knownNodes(context, [context.cluster.nodes[0]!])).unasked!.cluster).toBe("k8s-0 runs with a config of this cluster");
  });
  test("a kubeconfig of this cluster whose API is down proves that it exists", async () =>
    expect(
      (await ask({ kubeconfig: kubeconfigOf() }, { err: "Unable to connect to the server: dial tcp: no route to host", code: 1 }, NO_ROUTE))
        .known,
    ).toEqual({
      nodes: new Map(),
      unasked: { why: expect.stringContaining("no route to host") as string, cluster: "$KUBECONFIG is this cluster's" },
    }));
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
