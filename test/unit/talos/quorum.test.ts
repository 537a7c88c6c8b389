// The quorum gate: who votes in etcd by what each control plane says, and which node may go down.
import { describe, expect, test } from "vitest";
import type { EtcdView, Member } from "../../../scripts/lib/talos/etcd.ts";
import { quorumVerdict, votesOf } from "../../../scripts/lib/talos/quorum.ts";

const NAMES = ["k8s-0", "k8s-1", "k8s-2"];
const member = (hostname: string, learner = false): Member => ({ id: `id of ${hostname}`, hostname, learner });
const listing = (node: string, members = NAMES.map((name) => member(name))): EtcdView => ({ node, members });
const LEARNING = [member("k8s-0"), member("k8s-1", true), member("k8s-2")];
const STOPPED: EtcdView = { node: "k8s-1", stopped: "its etcd is down, and its data directory is not empty" };
const SILENT: EtcdView = { node: "k8s-1", unseen: "rpc error: code = Unavailable desc = i/o timeout\nmore" };
const NEVER: EtcdView = { node: "k8s-1", without: "etcd never ran" };
const three = (second: EtcdView, members?: Member[]) => [listing("k8s-0", members), second, listing("k8s-2", members)];

describe("a node", () => {
  const vote = (answers: EtcdView[]) => votesOf(answers).find(({ node }) => node === "k8s-1");
  test("that its own etcd lists as a member votes", () => expect(vote(three(listing("k8s-1")))).toMatchObject({ votes: true }));
  test.each<[string, EtcdView[], string]>([
    ["whose etcd is down", three(STOPPED), "its etcd is down, and its data directory is not empty"],
    ["whose etcd never ran", three(NEVER), "etcd never ran"],
    ["that is a learner", three(listing("k8s-1", LEARNING), LEARNING), "it is a learner, which does not vote yet"],
    ["that is a learner, whose etcd answers no questions yet", three(SILENT, LEARNING), "it is a learner, which does not vote yet"],
    ["that was removed", three(SILENT, [member("k8s-0"), member("k8s-2")]), "etcd does not list it as a member"],
  ])("%s does not vote", (_, answers, why) => expect(vote(answers)).toEqual({ node: "k8s-1", votes: false, why }));
  test("that cannot be asked is unknown, though the others list it", () =>
    expect(vote(three(SILENT))).toEqual({ node: "k8s-1", votes: "unknown", why: "i/o timeout" }));
});

describe("the gate", () => {
  const judge = (answers: EtcdView[], ...names: string[]) =>
    quorumVerdict(
      names.map((name) => ({ name })),
      answers,
    );
  test("lets one of three voters go down", () =>
    expect(judge(three(listing("k8s-1")), "k8s-0")).toEqual({ state: "ok", saw: "3 of 3 control planes vote in etcd" }));
  test.each<[string, EtcdView[], string]>([
    ["whose etcd is down", three(STOPPED), "its etcd is down, and its data directory is not empty"],
    ["that is a learner", three(SILENT, LEARNING), "it is a learner, which does not vote yet"],
    ["that never joined", three(NEVER, [member("k8s-0"), member("k8s-2")]), "etcd never ran"],
  ])("is bad beside a node %s", (_, answers, why) =>
    expect(judge(answers, "k8s-0")).toEqual({
      state: "bad",
      saw: `k8s-0 would go down: etcd needs 2 voting control planes to stay; known to stay: 1\n  k8s-1: ${why}`,
    }),
  );
  test("is unknown beside a node that cannot be asked", () => expect(judge(three(SILENT), "k8s-0").state).toBe("unknown"));
  test("is unknown when nobody can be asked", () =>
    expect(
      judge(
        NAMES.map((node) => ({ node, unseen: "i/o timeout" })),
        "k8s-0",
      ).state,
    ).toBe("unknown"));
  test("is bad when too few would stay, whatever an unknown one does", () => {
    const answers: EtcdView[] = [listing("k8s-0"), STOPPED, { node: "k8s-2", unseen: "i/o timeout" }];
    expect(judge(answers, "k8s-0").state).toBe("bad");
  });
  test("lets a node go down that does not vote anyway: nothing is lost by it", () =>
    expect(judge(three(STOPPED), "k8s-1").state).toBe("ok"));
  test("judges every node that goes down, and the worst verdict counts", () =>
    expect(
      judge(three(STOPPED), "k8s-0", "k8s-1", "k8s-2")
        .saw.split("\n")
        .filter((line) => line.includes("would go down")),
    ).toHaveLength(2));
  test("counts a member that nobody in talos/cluster.yaml is: four voters need three", () => {
    const members = [...NAMES, "ghost"].map((name) => member(name));
    expect(
      judge(
        NAMES.map((name) => listing(name, members)),
        "k8s-0",
      ),
    ).toMatchObject({ state: "bad", saw: expect.stringContaining("needs 3") });
  });
  test("lets any node go down while no node has etcd", () =>
    expect(
      judge(
        NAMES.map((node) => ({ node, without: "etcd never ran" })),
        "k8s-0",
      ).state,
    ).toBe("ok"));
  test("is bad when the nodes are in two clusters", () =>
    expect(judge(three({ node: "k8s-1", members: [{ ...member("k8s-1"), id: "other" }] }), "k8s-0")).toEqual({
      state: "bad",
      saw: "k8s-0 and k8s-1 are in two different etcd clusters",
    }));
  test.each([1, 2])("is not for a cluster of %i, which has none to spare", (count) =>
    expect(judge([listing("k8s-0"), STOPPED].slice(0, count), "k8s-0").state).toBe("ok"),
  );
});
