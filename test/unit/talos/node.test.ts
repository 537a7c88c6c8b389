// In which stage a node is, concluded from what talosctl says; the commands that ask.
import { describe, expect, test } from "vitest";
import { shortened, stageFromRefusal, stageFromInsecure, outputOf, stageOf } from "../../../scripts/lib/talos/node.ts";
import { type Answer, record } from "../recorder.ts";
import {
  BOOTING,
  CERTIFICATE_REQUIRED,
  folderWith,
  MAINTENANCE,
  NO_ROUTE,
  openly,
  REFUSED,
  RUNNING,
  secrets,
  talosconfigOf,
  UNKNOWN_AUTHORITY,
  withCertificate,
} from "./home.ts";

const { env } = folderWith({ talosconfig: talosconfigOf() });
const FILE = env.TALOSCONFIG;
const asked = `${withCertificate(FILE, 0)} get machinestatus --output json`;
const askedOpenly = `${openly(FILE, 0)} get machinestatus --insecure --output json`;

async function stage(first: Answer, second?: Answer) {
  const lab = await record({ env, secrets, answers: { [asked]: first, ...(second !== undefined && { [askedOpenly]: second }) } });
  const seen = await stageOf(lab.context, { address: "192.168.122.10" });
  return { seen, commands: lab.commands };
}

describe("a node", () => {
  test("that runs", async () =>
    expect(await stage(RUNNING)).toEqual({ seen: { stage: "running", ready: true, unmet: [] }, commands: [`ask ${asked}`] }));
  test.each([
    ["nothing", "", "printed nothing"],
    ["an HTML page", "<html>", 'it is not JSON: "<html>"'],
    ["a part of its answer", RUNNING.slice(0, 60), "it is cut off after"],
    ["another shape", '{\n    "spec": null\n}\n', ".spec is null, not an object"],
  ])("that prints %s is in an unknown stage, not booting", async (_what, out, said) =>
    expect((await stage(out)).seen).toEqual({ stage: "unreachable", said: expect.stringContaining(said) }),
  );
  test("that waits for etcd says so", async () =>
    expect((await stage(BOOTING)).seen).toEqual({ stage: "booting", ready: false, unmet: ["services: etcd not running"] }));
  test("that does not know our authority, and answers openly, has no config", async () =>
    expect(await stage(UNKNOWN_AUTHORITY, MAINTENANCE)).toEqual({
      seen: { stage: "maintenance" },
      commands: [`ask ${asked}`, `ask ${askedOpenly}`],
    }));
  test("of Talos 1.12 without a config does not know the call", async () =>
    expect(
      (
        await stage(UNKNOWN_AUTHORITY, {
          err: "rpc error: code = Unimplemented desc = API is not implemented in maintenance mode",
          code: 1,
        })
      ).seen,
    ).toEqual({ stage: "maintenance" }));
  test("that asks for a certificate has somebody else's config: it is never taken for configured", async () =>
    expect((await stage(UNKNOWN_AUTHORITY, CERTIFICATE_REQUIRED)).seen).toEqual({
      stage: "foreign",
      said: "it has a config of a cluster with another authority than $TALOSCONFIG's",
    }));
  test("that asks for a certificate although it was given one is not taken for anything", async () =>
    expect((await stage(CERTIFICATE_REQUIRED)).seen).toEqual({
      stage: "unreachable",
      said: "error reading server preface: remote error: tls: certificate required",
    }));
  test("that went away between the two questions is unreachable", async () =>
    expect((await stage(UNKNOWN_AUTHORITY, REFUSED)).seen).toEqual({
      stage: "unreachable",
      said: "dial tcp 192.168.122.10:50000: connect: connection refused",
    }));
  test("that is off is unreachable, and is not asked twice", async () =>
    expect(await stage(NO_ROUTE)).toEqual({
      seen: { stage: "unreachable", said: "dial tcp 192.168.122.10:50000: connect: no route to host" },
      commands: [`ask ${asked}`],
    }));
});

describe("refusals", () => {
  test.each([
    [
      "remote error: tls: expired certificate",
      "it refuses our certificate (expired certificate): $TALOSCONFIG is of another cluster, or old: task talos:talosconfig",
    ],
    [
      "remote error: tls: bad certificate",
      "it refuses our certificate (bad certificate): $TALOSCONFIG is of another cluster, or old: task talos:talosconfig",
    ],
    [
      "remote error: tls: unknown certificate authority",
      "it refuses our certificate (unknown certificate authority): $TALOSCONFIG is of another cluster, or old: task talos:talosconfig",
    ],
    [
      "rpc error: code = PermissionDenied desc = not authorized",
      "it knows our certificate, and not as an administrator's: task talos:talosconfig",
    ],
  ])("%s: not ours to configure", (said, why) => expect(stageFromRefusal(said)).toEqual({ stage: "foreign", said: why }));
  test.each([
    'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for 192.168.122.11, not 192.168.122.10"',
    "x509: certificate has expired or is not yet valid",
    'dial tcp 192.168.122.10:50000: i/o timeout"',
    "rpc error: code = Unavailable desc = error reading server preface: EOF",
  ])("%s: cannot be understood, so it is not concluded from", (said) =>
    expect(stageFromRefusal(said)).toMatchObject({ stage: "unreachable" }),
  );
  test("openly refused: it answers, so it is in maintenance mode", () =>
    expect(stageFromInsecure("rpc error: code = PermissionDenied desc = not authorized")).toEqual({ stage: "maintenance" }));
});

describe("what was said, in short", () => {
  test.each([
    [
      'error getting: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 1.2.3.4:50000: connect: no route to host"\n',
      "dial tcp 1.2.3.4:50000: connect: no route to host",
    ],
    [
      "error applying new configuration: 1 error occurred:\n\t* 1.2.3.4: rpc error: code = InvalidArgument desc = 2 errors occurred:\n\t* first\n\t* second\n\n\n",
      "first; second",
    ],
    [
      "rpc error: code = InvalidArgument desc = this config change can't be applied in immediate mode\ndiff:\n-  token: hunter2\n",
      "this config change can't be applied in immediate mode",
    ],
    ["failed to determine endpoints", "failed to determine endpoints"],
  ])("%j → %s", (said, short) => expect(shortened(said)).toBe(short));
  test("a command that was stopped said nothing in time", () =>
    expect(outputOf({ exitCode: null, signal: "SIGTERM", stderr: "", stdout: "" })).toBe("no answer within 20 s"));
});
