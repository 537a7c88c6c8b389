// Talos' API at the wire, asked by a plain gRPC client: the table it is read from, who is let in, and how the replies of many nodes are gathered.
import { readFileSync } from "node:fs";
import { Client, credentials, Metadata, status as codes } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { decode, encode, SERVICES } from "../../../simulators/wire/talos/descriptor.ts";
import { A, B, C, type Live, liveWorld } from "./live-world.ts";

describe("the descriptor", () => {
  test("keeps all 64 bits of an id", () => {
    const members = [{ id: "18446744073709551615", hostname: "a" }];
    const sent = encode("machine.EtcdMemberListResponse", { messages: [{ members }] });
    expect(decode("machine.EtcdMemberListResponse", sent).messages[0].members[0]).toMatchObject(members[0]!);
  });
  test("writes the bytes that protobuf asks for", () => {
    expect(encode("machine.ReadRequest", { path: "/a" }).toString("hex")).toBe("0a022f61");
    expect(encode("machine.MachineStatusEvent", { stage: "RUNNING", status: { ready: true } }).toString("hex")).toBe("080412020801");
    expect(encode("cosi.resource.Metadata", { labels: { a: "b" } }).toString("hex")).toBe("52060a01611201 62".replace(" ", ""));
  });
  test("has one of two fields of a choice", () =>
    expect(decode("machine.ImageServicePullResponse", encode("machine.ImageServicePullResponse", { name: "x" }))).toEqual({ name: "x" }));
  test("knows which methods stream", () =>
    expect(SERVICES["machine.MachineService"]).toMatchObject({
      Version: { path: "/machine.MachineService/Version", responseStream: false },
      Events: { path: "/machine.MachineService/Events", responseStream: true },
    }));
});

let live: Live;
beforeAll(async () => {
  live = await liveWorld();
  await live.build(2);
});
afterAll(() => live.close());

type Asked = { code: keyof typeof codes; details?: string; replies: any[] };

interface How {
  metadata?: Record<string, string[]>;
  insecure?: boolean;
  /** The role in the certificate; an administrator's else. */
  role?: string;
  /** Hangs up after so many replies. */
  enough?: number;
}

/** Calls a method of the node at an address; what it said, and how it ended. */
function ask(
  address: string,
  method: string,
  request: object,
  { metadata = {}, insecure = false, role, enough }: How = {},
): Promise<Asked> {
  const [service = "", name = ""] = method.split("/");
  const { path, requestSerialize, responseDeserialize } = SERVICES[service]![name]!;
  const { ca, crt, key } = parse(readFileSync((role ? live.as(role) : live.environment).TALOSCONFIG!, "utf8")).contexts.home as Record<
    string,
    string
  >;
  const pem = (text = "") => Buffer.from(Buffer.from(text, "base64").toString().replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY"));
  const trust = insecure
    ? credentials.createSsl(null, null, null, { rejectUnauthorized: false })
    : credentials.createSsl(pem(ca), pem(key), pem(crt));
  const client = new Client(`localhost:${live.portOf(address)}`, trust);
  const sent = new Metadata();
  for (const [key, values] of Object.entries(metadata)) for (const value of values) sent.add(key, value);
  return new Promise((resolve) => {
    const replies: any[] = [];
    // a unary call is a stream of one reply
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, sent, {
      deadline: Date.now() + 300_000,
    });
    call.on("data", (reply) => {
      replies.push(reply);
      if (replies.length === enough) call.cancel();
    });
    call.on("error", () => {});
    call.on("status", ({ code, details }) => {
      client.close();
      resolve({ code: codes[code] as keyof typeof codes, ...(details && { details }), replies });
    });
  });
}

describe("metadata", () => {
  const version = "machine.MachineService/Version";
  const names = ({ replies }: Asked) => replies[0].messages.map(({ metadata }: any) => metadata?.hostname);
  test("none asks the node itself, and no name is in the reply", async () => expect(names(await ask(A, version, {}))).toEqual([undefined]));
  test("node passes the call on", async () => {
    const boot = await ask(A, "machine.MachineService/Read", { path: "/proc/sys/kernel/random/boot_id" }, { metadata: { node: [B] } });
    expect(boot.replies[0].bytes.toString()).toBe(`${live.machine(B).bootId}\n`);
  });
  test("nodes gathers replies under the nodes' names, repeated or with commas", async () => {
    expect(names(await ask(A, version, {}, { metadata: { nodes: [A, B] } }))).toEqual([A, B]);
    expect(names(await ask(B, version, {}, { metadata: { nodes: [`${A}, ${B}`] } }))).toEqual([A, B]);
  });
  test("of a node that is away gathers the error among the replies", async () => {
    const { replies, code } = await ask(A, version, {}, { metadata: { nodes: [A, "192.168.122.99"] } });
    expect(code).toBe("OK");
    expect(replies[0].messages[1].metadata).toMatchObject({
      hostname: "192.168.122.99",
      error: expect.stringContaining("rpc error: code = Unavailable desc = connection error: desc = "),
      status: { code: codes.UNAVAILABLE, message: expect.stringContaining("connect: no route to host") },
    });
  });
  test("of one node that is away is the call's own error", async () =>
    expect(await ask(A, version, {}, { metadata: { node: ["192.168.122.99"] } })).toMatchObject({ code: "UNAVAILABLE", replies: [] }));
  test("a stream of many names the node in each message", async () => {
    const { replies } = await ask(A, "machine.MachineService/Dmesg", {}, { metadata: { nodes: [A, B] } });
    expect(new Set(replies.map(({ metadata }) => metadata.hostname))).toEqual(new Set([A, B]));
  });
  test("a service that answers for one node refuses many", async () =>
    expect(await ask(A, "cosi.resource.State/List", { type: "Members.cluster.talos.dev" }, { metadata: { nodes: [A, B] } })).toMatchObject({
      code: "INVALID_ARGUMENT",
      details: "one-2-many proxying is not supported for method /cosi.resource.State/List",
    }));
});

describe("who is let in", () => {
  test("in maintenance whoever calls, for what may be read", async () => {
    expect(await ask(C, "machine.MachineService/Version", {}, { insecure: true })).toMatchObject({ code: "OK" });
    expect(await ask(C, "machine.MachineService/Reset", {}, { insecure: true })).toMatchObject({
      code: "PERMISSION_DENIED",
      details: "not authorized",
    });
    expect(await ask(C, "machine.MachineService/Version", {}, { metadata: { node: [A] }, insecure: true })).toMatchObject({
      code: "PERMISSION_DENIED",
      details: "no request forwarding",
    });
  });
  test("once a config runs, only who has a certificate of its CA", async () =>
    expect(await ask(A, "machine.MachineService/Version", {}, { insecure: true })).toMatchObject({ code: "UNAVAILABLE" }));
  test.each([
    ["os:reader", "machine.MachineService/Version", {}, "OK"],
    ["os:reader", "machine.MachineService/Reboot", {}, "PERMISSION_DENIED"],
    ["os:reader", "machine.MachineService/ApplyConfiguration", { data: Buffer.from("a: b") }, "PERMISSION_DENIED"],
    ["os:reader", "cosi.resource.State/List", { type: "Members.cluster.talos.dev" }, "OK"],
    ["os:reader", "cosi.resource.State/List", { type: "MachineConfigs.config.talos.dev" }, "PERMISSION_DENIED"],
    ["os:operator", "machine.MachineService/Kubeconfig", {}, "PERMISSION_DENIED"],
    ["os:etcd:backup", "machine.MachineService/EtcdSnapshot", {}, "OK"],
    ["os:etcd:backup", "machine.MachineService/Version", {}, "PERMISSION_DENIED"],
  ])("%s may call %s with %j: %s", async (role, method, request, code) => {
    expect((await ask(A, method, request, { role })).code).toBe(code);
    expect((await ask(B, method, request, { role, metadata: { node: [A] } })).code).toBe(code);
  });
  test("nobody while the machine is off", async () => {
    live.power("k8s_2", false);
    await live.until("it is off", () => live.machine(C).stage === "off");
    expect(live.portOf(C)).toBeUndefined();
    live.power("k8s_2", true);
    await live.until("it answers again", () => live.portOf(C) !== undefined);
  });
});

test("a watch tells what is there, then what changes", async () => {
  const request = { namespace: "cluster", type: "Members.cluster.talos.dev", options: { bootstrap_contents: true } };
  const asked = ask(A, "cosi.resource.State/Watch", request, { enough: 5 });
  await live.standIn("apply-config", "--insecure", "-n", C, "-f", live.config("k8s-2"));
  const events = (await asked).replies.flatMap(({ event }) => event);
  expect(events.map(({ event_type, resource }) => [event_type, resource?.metadata.id])).toEqual([
    ["CREATED", "k8s-0"],
    ["CREATED", "k8s-1"],
    ["BOOTSTRAPPED", undefined],
    ["CREATED", "k8s-2"],
  ]);
});

test("a kubelet whose image is another goes away and comes back, as a client that upgrades Kubernetes waits for", async () => {
  const request = { namespace: "runtime", type: "Services.v1alpha1.talos.dev", id: "kubelet" };
  const asked = ask(A, "cosi.resource.State/Watch", request, { enough: 4 });
  const path = live.config("k8s-0", { machine: { kubelet: { image: "ghcr.io/siderolabs/kubelet:v1.36.6" } } });
  expect(await ask(A, "machine.MachineService/ImagePull", { reference: "ghcr.io/siderolabs/kubelet:v1.36.6" })).toMatchObject({
    code: "OK",
  });
  expect((await live.standIn("apply-config", "-n", A, "-f", path, "--mode", "no-reboot")).code).toBe(0);
  const events = (await asked).replies.flatMap(({ event }) => event);
  expect(events.map(({ event_type }) => event_type)).toEqual(["CREATED", "DESTROYED", "CREATED"]);
  const spec = await ask(A, "cosi.resource.State/Get", { type: "KubeletSpecs.kubernetes.talos.dev", namespace: "k8s", id: "kubelet" });
  expect(decode("talos.resource.definitions.k8s.KubeletSpecSpec", spec.replies[0].resource.spec.proto_spec)).toMatchObject({
    image: "ghcr.io/siderolabs/kubelet:v1.36.6",
    expected_nodename: "k8s-0",
  });
});
