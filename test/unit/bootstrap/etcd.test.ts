// etcd: what is safe to conclude from what each node says, and that bootstrap happens once or not at all.
import { describe, expect, test } from "vitest";
import { etcd } from "../../../scripts/bootstrap/etcd.ts";
import { type EtcdView as Said, bootstrapStep, membersOf, etcdState, dataState, reasonFor } from "../../../scripts/lib/talos/etcd.ts";
import { type Answer, record } from "../recorder.ts";
import { folderWith, secrets, talosconfigOf } from "../talos/home.ts";
import { testCluster } from "../test-cluster.ts";

const { env } = folderWith({ talosconfig: talosconfigOf() });

const NAMES = ["k8s-0", "k8s-1", "k8s-2"];
const table = (names: string[], learners: string[] = []) =>
  [
    "NODE             ID                 HOSTNAME   PEER URLS                      CLIENT URLS                    LEARNER",
    ...names.map(
      (name, i) =>
        `192.168.122.10   e5d4c3b2a190000${NAMES.indexOf(name)}   ${name}      https://192.168.122.1${i}:2380    https://192.168.122.1${i}:2379    ${learners.includes(name)}`,
    ),
  ].join("\n");
const members = (names: string[], learners: string[] = []): Said => ({ node: names[0]!, members: membersOf(table(names, learners)) });
const without = (node: string): Said => ({ node, without: "etcd does not run yet" });

test("the table of members is read by its heads", () =>
  expect(membersOf(table(["k8s-0", "k8s-1"], ["k8s-1"]))).toMatchObject([
    { hostname: "k8s-0", learner: false },
    { hostname: "k8s-1", learner: true },
  ]));

test("a member that has not started has no name, and its other cells stay in their columns", () =>
  expect(membersOf(table(["k8s-0", "k8s-1"], ["k8s-1"]).replace("k8s-1", "     "))[1]).toMatchObject({ hostname: "", learner: true }));

describe("what is concluded", () => {
  test("no node has it: to do", () =>
    expect(etcdState(NAMES, NAMES.map(without))).toEqual({
      state: "to do",
      saw: "no node has etcd",
      todo: ["bootstrap etcd on k8s-0", "wait for 3 members"],
      steps: [bootstrapStep("k8s-0")],
    }));
  test("one node cannot be asked and none has it: unknown, for it may hold data", () =>
    expect(etcdState(NAMES, [without("k8s-0"), without("k8s-1"), { node: "k8s-2", unseen: "i/o timeout\nmore" }])).toMatchObject({
      state: "unknown",
      saw: "not every node could be asked: k8s-2: i/o timeout",
    }));
  test("all are members: done, even if one cannot be asked now", () =>
    expect(etcdState(NAMES, [members(NAMES), { node: "k8s-2", unseen: "x" }])).toEqual({ state: "done", saw: "3 of 3 members" }));
  test("one is missing: partly", () =>
    expect(etcdState(NAMES, [members(["k8s-0", "k8s-1"])])).toEqual({
      state: "partly",
      saw: "2 of 3 members",
      todo: ["wait for k8s-2 to become a member"],
      steps: [{ action: "wait for the etcd member", target: "k8s-2" }],
    }));
  test("a learner is no member yet", () =>
    expect(etcdState(NAMES, [members(NAMES, ["k8s-2"])])).toMatchObject({ state: "partly", saw: "2 of 3 members, k8s-2 still learning" }));
  test("two clusters are a contradiction", () =>
    expect(() =>
      etcdState(NAMES, [
        { node: "k8s-0", members: [{ id: "a", hostname: "k8s-0", learner: false }] },
        { node: "k8s-1", members: [{ id: "b", hostname: "k8s-1", learner: false }] },
      ]),
    ).toThrow("could not see one etcd\n  said: k8s-0 and k8s-1 are in two different etcd clusters"));
});

test.each([
  ["error getting members: rpc error: code = Unavailable desc = dial tcp [::1]:2379: connect: connection refused", "without"],
  ["rpc error: code = Unimplemented desc = API is not implemented in maintenance mode", "without"],
  [
    "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "without",
  ],
  [
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 192.168.122.10:50000: i/o timeout"',
    "unseen",
  ],
  ["remote error: tls: expired certificate", "unseen"],
])("%s → %s", (said, what) => expect(Object.keys(reasonFor(said))).toEqual([what]));

describe("the commands", () => {
  const none: Answer = { err: "rpc error: dial tcp 127.0.0.1:2379: connect: connection refused", code: 1 };
  const EMPTY = "NODE            NAME\n192.168.122.10  .\n";
  const at = (i: number, words: string) =>
    `talosctl --talosconfig ${env.TALOSCONFIG} --endpoints 192.168.122.1${i} --nodes 192.168.122.1${i} ${words}`;
  const run = async (
    bootstrap: Answer | Answer[],
    afterwards: Answer = table(NAMES),
    before: Answer[] = [none, none],
    data: Answer = EMPTY,
    nodes = 3,
    planned = [bootstrapStep("k8s-0")],
  ) => {
    const recording = await record({
      env,
      secrets,
      cluster: testCluster({ nodes: testCluster().nodes.slice(0, nodes) }),
      answers: {
        ...Object.fromEntries([0, 1, 2].map((i) => [at(i, "list /var/lib/etcd"), data])),
        [at(0, "etcd members")]: [...before, afterwards],
        [at(1, "etcd members")]: [...before, afterwards],
        [at(2, "etcd members")]: [...before, afterwards],
        [at(0, "bootstrap")]: bootstrap,
      },
    });
    const error = await etcd.act(recording.context, { state: "to do", saw: "" }, planned).catch((thrown: unknown) => thrown);
    return { acts: recording.commands.filter((line) => line.startsWith("act ")), error, commands: recording.commands };
  };
  test("bootstrap the first node once", async () =>
    expect(await run("")).toMatchObject({ acts: [`act ${at(0, "bootstrap")}`], error: undefined }));
  test("never start a new etcd when the plan saw members and only waits for the others", async () => {
    const { acts, error } = await run("", undefined, undefined, undefined, 3, [{ action: "wait for the etcd member", target: "k8s-2" }]);
    expect(acts).toEqual([]);
    expect(String(error)).toContain("the plan did not name this\n  said: bootstrap etcd on k8s-0");
  });
  test("wait for a clock that is not in sync yet", async () => {
    const { acts, error } = await run(
      [{ err: "rpc error: code = FailedPrecondition desc = time is not in sync yet", code: 1 }, ""],
      table(NAMES),
      [none, none, none],
    );
    expect([acts.length, error]).toEqual([2, undefined]);
  });
  test("take AlreadyExists for done, if the members agree", async () =>
    expect((await run({ err: "rpc error: code = AlreadyExists desc = etcd data directory is not empty", code: 1 })).error).toBeUndefined());
  test("do not bootstrap a cluster that is there", async () => expect((await run("", table(NAMES), [])).acts).toEqual([]));
  test("stop at a refusal that will not pass", async () => {
    const { error } = await run({ err: "rpc error: code = PermissionDenied desc = not authorized", code: 1 });
    expect(String(error)).toContain("could not bootstrap etcd on 192.168.122.10\n  said: rpc error: code = PermissionDenied");
  });
  test("never bootstrap beside an etcd that is down but has data", async () => {
    const { acts, error } = await run("", none, [none], "NODE            NAME\n192.168.122.10  .\n192.168.122.10  member\n", 1); // one node: ten minutes of looking are a few hundred commands
    expect(acts).toEqual([]);
    expect(String(error)).toContain("its etcd is down, and its data directory is not empty");
  });
  test("bootstrap where the data directory was never made", async () =>
    expect(
      (await run("", table(NAMES), [none, none], { err: "lstat /var/lib/etcd: no such file or directory", code: 1 })).acts,
    ).toHaveLength(1));
  test("do not bootstrap again after a lost reply", async () =>
    expect((await run({ err: "code = Unavailable desc = EOF", code: 1 })).acts).toHaveLength(1));
  test("do not wait for a certificate that is refused", async () => {
    const { error } = await run({ err: "rpc error: code = Unavailable desc = remote error: tls: bad certificate", code: 1 });
    expect(String(error)).toContain(
      "could not bootstrap etcd on 192.168.122.10\n  said: rpc error: code = Unavailable desc = remote error: tls: bad certificate",
    );
  });
  test("never bootstrap while a node cannot be asked", async () => {
    const { acts, error } = await run("", { err: "i/o timeout", code: 1 }, [{ err: "i/o timeout", code: 1 }]);
    expect(acts).toEqual([]);
    expect(String(error)).toContain("could not wait for every control plane to answer within 600 s");
  });
});

describe("an answer of talosctl that is no table", () => {
  test.each(["", "\n", "<html>502</html>", "warning: x\n"])("%j proves neither members nor an empty data directory", (text) => {
    expect(membersOf(text)).toEqual([]);
    expect(dataState(0, text, "")).toHaveProperty("unseen");
  });
  test("a list that has only the directory itself is empty", () =>
    expect(dataState(0, "NODE             NAME\n192.168.122.10   .\n", "")).toEqual({ without: "etcd never ran" }));
});
