// talos:status: every node a row, whatever it says; and whose nodes they are.
import { describe, expect, test } from "vitest";
import { renderNode } from "../../../scripts/lib/talos/render.ts";
import { notesOf, rowOf, statusOf } from "../../../scripts/lib/talos/status.ts";
import { status } from "../../../scripts/talos/status.ts";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import { type Answers, record } from "../recorder.ts";
import {
  BOOTING,
  folderWith,
  MAINTENANCE,
  NO_ROUTE,
  openly,
  RUNNING,
  secrets,
  talosconfigOf,
  UNKNOWN_AUTHORITY,
  withCertificate,
} from "./home.ts";

const ID = "c682c3b7e2747ecadb2b2f9eb73336e40373cfbe6f7ec588336ece6f3a1059cf";
const json = (...specs: object[]) => specs.map((spec) => `${JSON.stringify({ node: "x", spec }, null, 4)}\n`).join("");
const extensions = (id: string | undefined) =>
  json({ metadata: { name: "iscsi-tools", version: "v0.2.0" } }, ...(id ? [{ metadata: { name: "schematic", version: id } }] : []));
const VERSION = "Client:\n\tTag:         v1.13.9\nServer:\n\tNODE:        192.168.122.10\n\tTag:         v1.13.9\n\tEnabled:     RBAC\n";
const MEMBERS = "NODE   ID   HOSTNAME   PEER URLS   CLIENT URLS   LEARNER\nx   a1   k8s-0   u   u   false\nx   a2   k8s-1   u   u   true";
const NO_ETCD = {
  err: 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"',
  code: 1,
};

const { context: home } = await record({ secrets });
const configs = await Promise.all(home.cluster.nodes.map((node) => renderNode(home, node)));
const config = async (i: number, change = (text: string) => text) => change(configs[i]!);
interface Node {
  status?: Answers[string];
  version?: Answers[string];
  id?: string | undefined;
  etcd?: Answers[string];
  kubelet?: Answers[string];
  config?: Answers[string];
}
async function running(file: string, i: number, node: Node = {}): Promise<Answers> {
  const to = withCertificate(file, i);
  return {
    [`${to} get machinestatus`]: node.status ?? RUNNING,
    [`${to} version`]: node.version ?? VERSION,
    [`${to} get extensions`]: extensions("id" in node ? node.id : ID),
    [`${to} etcd members`]: node.etcd ?? MEMBERS,
    [`${to} list /var/lib/etcd`]: "NODE            NAME\n192.168.122.11  .\n",
    [`${to} get services kubelet`]: node.kubelet ?? json({ running: true, healthy: true, unknown: false }),
    [`${to} get machineconfig v1alpha1`]: node.config ?? (await config(i)),
  };
}
async function show(answers: (file: string) => Promise<Answers>, days = 365, vault: (ref: string) => string = secrets) {
  const { env } = folderWith({ talosconfig: talosconfigOf({ days }) });
  const lab = await record({ env, secrets: vault, answers: await answers(env.TALOSCONFIG) });
  const error = await lab.run(status, {});
  return {
    error,
    commands: lab.commands,
    table: lab.said[0]?.split("\n"),
    result: lab.results[0] as { nodes: object[]; talosconfig: object },
    acts: lab.commands.filter((line) => line.startsWith("act ")),
  };
}
const all =
  (first: (file: string) => Promise<Answers>, second: (file: string) => Promise<Answers>, third: (file: string) => Promise<Answers>) =>
  async (file: string) => ({ ...(await first(file)), ...(await second(file)), ...(await third(file)) });
const good = (i: number, node?: Node) => (file: string) => running(file, i, node);

test("every node is a row, whatever state it is in", async () => {
  const { table, error, acts } = await show(
    all(
      good(0),
      async (file) => ({
        [`${withCertificate(file, 1)} get machinestatus`]: UNKNOWN_AUTHORITY,
        [`${openly(file, 1)} get machinestatus`]: MAINTENANCE,
      }),
      async (file) => ({ [`${withCertificate(file, 2)} get machinestatus`]: NO_ROUTE }),
    ),
  );
  expect([error, acts]).toEqual([undefined, []]);
  expect(table).toEqual([
    "node         address         stage              talos    schematic     etcd    kubelet  config",
    "k8s-0        192.168.122.10  running            v1.13.9  c682c3b7e274  member  healthy  as rendered",
    "k8s-1        192.168.122.11  maintenance        -        -             -       -        -",
    "k8s-2        192.168.122.12  unreachable        -        -             -       -        -",
    "talosconfig  -               good for 364 days  -        -             -       -        -",
    "k8s-2: dial tcp 192.168.122.10:50000: connect: no route to host",
  ]);
});

test("a cluster whose Talos is too old to be deployed can be looked at: what its config lacks is unknown", async () => {
  const { env } = folderWith({ talosconfig: talosconfigOf({ days: 365 }) });
  const lab = await record({ env, secrets, answers: await running(env.TALOSCONFIG, 0) });
  const context = { ...lab.context, versions: { ...lab.context.versions, TALOS_VERSION: "v1.11.6" } };
  expect(await statusOf(context, context.cluster.nodes[0]!)).toMatchObject({ stage: "running", etcd: "member", differs: undefined });
});

test("what is not as wanted says what is wanted", async () => {
  const { table, result } = await show(
    all(
      good(0, {
        version: VERSION.replaceAll("v1.13.9", "v1.13.8"),
        id: "e9e5424769".padEnd(64, "0"),
        config: await config(0, (text) => text.replace("mtu: 9000", "mtu: 1500")),
      }),
      good(1, { status: BOOTING, etcd: NO_ETCD, kubelet: json({ running: true, healthy: false, unknown: false }), id: undefined }),
      good(2, { kubelet: json({ running: false, healthy: false, unknown: true }) }),
    ),
    12,
  );
  expect(table!.slice(1).map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
    "k8s-0 | 192.168.122.10 | running | v1.13.8 (wanted v1.13.9) | e9e542476900 (wanted c682c3b7e274) | member | healthy | 1 change pending",
    "k8s-1 | 192.168.122.11 | booting, not ready | v1.13.9 | none (wanted c682c3b7e274) | no member | unhealthy | as rendered",
    "k8s-2 | 192.168.122.12 | running | v1.13.9 | c682c3b7e274 | no member | not running | as rendered",
    expect.stringMatching(/^talosconfig \| - \| expires in 1[12] days: task talos:talosconfig \| /),
    "k8s-1 waits for services: etcd not running",
  ]);
  expect(result.nodes[0]).toEqual({
    node: "k8s-0",
    address: "192.168.122.10",
    stage: "running",
    ready: true,
    unmet: [],
    talos: "v1.13.8",
    schematic: "e9e5424769".padEnd(64, "0"),
    etcd: "member",
    kubelet: "healthy",
    differs: 1,
  });
});

test("what cannot be seen of a node that runs is unknown, not bad", async () => {
  const to = (file: string) => ({ [`${withCertificate(file, 0)} get machinestatus`]: RUNNING, [`${withCertificate(file, 0)} `]: NO_ROUTE });
  const { table } = await show(all(async (file) => to(file), good(1), good(2)));
  expect(table![1]!.replaceAll(/ {2,}/g, " | ")).toBe("k8s-0 | 192.168.122.10 | running | unknown | unknown | unknown | unknown | unknown");
});

test("a secret of the node that is not the vault's is not seen here: configs are compared without secrets", async () => {
  const { table } = await show(
    all(good(0, { config: await config(0, (text) => text.replaceAll("value of op", "another of op")) }), good(1), good(2)),
  );
  expect(table![1]).toMatch(/as rendered$/);
});

describe("whose nodes they are", () => {
  const nodes = all(good(0), good(1), good(2));
  test("is proven by the vault", async () => expect((await show(nodes)).result.talosconfig).toMatchObject({ identity: "proven" }));
  test("is unknown when the vault cannot be asked, and the output says so", async () => {
    let asked = 0;
    const { error, table, result } = await show(nodes, 365, () => {
      asked += 1;
      throw new Failure({ attempted: "resolve 1 reference in 1Password", said: "you are not signed in\nmore" });
    });
    expect([error, table!.at(-1)]).toEqual([undefined, "whether these are home-ops-cluster's nodes is unknown: you are not signed in"]);
    expect(table![1]).toMatch(/running .*member/);
    expect(result.talosconfig).toMatchObject({ identity: "unknown" });
    expect(asked).toBe(1); // signing in may open a window: once is enough
  });
});

test("a node whose etcd has data and does not answer is down, which is not the same as unknown", async () => {
  const stopped = async (file: string) => ({
    ...(await running(file, 0, { etcd: NO_ETCD })),
    [`${withCertificate(file, 0)} list /var/lib/etcd`]: "NODE            NAME\n192.168.122.10  .\n192.168.122.10  member\n",
  });
  expect((await show(all(stopped, good(1), good(2)))).table![1]).toMatch(/ down {2,}healthy/);
});

describe("rows", () => {
  const wanted = { talos: "v1.13.9", schematic: ID };
  test("of a learner", () =>
    expect(rowOf({ node: "a", address: "b", stage: "running", ready: true, unmet: [], etcd: "learner", differs: 3 }, wanted)).toEqual([
      "a",
      "b",
      "running",
      "unknown",
      "unknown",
      "learner",
      "unknown",
      "3 changes pending",
    ]));
  test("of a stranger", () =>
    expect(rowOf({ node: "a", address: "b", stage: "foreign", said: "no" }, wanted)).toEqual(["a", "b", "foreign"]));
  test("notes say why", () =>
    expect(
      notesOf([
        { node: "a", address: "b", stage: "foreign", said: "no" },
        { node: "c", address: "d", stage: "maintenance" },
      ]),
    ).toEqual(["a: no"]));
});

test("a talosconfig that is not there is an error that names the target", async () => {
  const lab = await record({ env: folderWith({}).env });
  expect(String(await lab.run(status, {}))).toContain("next: task talos:talosconfig");
});
