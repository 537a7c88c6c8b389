// volsync:identity: what the Job reports, how it gets into talos/cluster.yaml, and what is refused.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readCluster } from "../../../scripts/lib/cluster/load.ts";
import { readIdentity, withIdentity } from "../../../scripts/lib/backup/identity.ts";
import type { KubernetesObject } from "../../../scripts/lib/kubernetes/kubernetes.ts";
import { identity } from "../../../scripts/volsync/identity.ts";
import { ourKubeconfig } from "../flux/our-kubeconfig.ts";
import { record, type RecordSetup } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";

const [OURS, OTHER] = ["a1".repeat(32), "b2".repeat(32)];
const PODS = "kubectl get pods --namespace volsync-system --selector batch.kubernetes.io/job-name=kopia-repository --output json";
const FILE = readFileSync("talos/cluster.yaml", "utf8").replaceAll(/^ {2}kopiaRepository:.*\n/gm, "");

const pod = (state: object, startTime = "2026-11-30T20:00:00Z", name = "kopia-repository-a") =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    status: { startTime, containerStatuses: [{ state }] },
  }) as unknown as KubernetesObject;
const ended = (exitCode: number, message?: string) => ({ terminated: { exitCode, ...(message !== undefined && { message }) } });

describe("what the Job reports", () => {
  test.each([
    ["the identity", [pod(ended(0, OURS))], { identity: OURS }],
    ["that of the newest pod", [pod(ended(0, OTHER), "2026-11-29T20:00:00Z"), pod(ended(0, OURS))], { identity: OURS }],
    ["why it failed", [pod(ended(1, "This is another repository\n"))], { failed: "This is another repository" }],
    ["a failure without a message", [pod(ended(137))], { failed: "it ended with 137 and no message" }],
    ["nothing while it runs", [pod({ running: {} })], { waiting: "its pod kopia-repository-a has not ended" }],
    ["nothing without a pod", [], { waiting: "it has no pod" }],
    ["nothing from an older Job", [pod(ended(0))], { waiting: "its pod reports no identity: it is older than this procedure" }],
  ])("%s", (_what, pods, seen) => expect(readIdentity(pods)).toEqual(seen));
  test("the last failure of a container that waits to be started again", () => {
    const waiting = pod({ waiting: { reason: "CrashLoopBackOff" } }) as unknown as { status: { containerStatuses: object[] } };
    waiting.status.containerStatuses = [{ state: { waiting: {} }, lastState: ended(1, "no repository") }];
    expect(readIdentity([waiting as unknown as KubernetesObject])).toEqual({ failed: "no repository" });
  });
});

describe("talos/cluster.yaml", () => {
  test("gets one line, and every other byte stays", async () => {
    const written = (await withIdentity(FILE, OURS!))!;
    const [row, ...more] = written.split("\n").filter((line) => !FILE.split("\n").includes(line));
    expect([row, more]).toEqual([`  kopiaRepository: "${OURS}" # the one repository of this home: task volsync:identity`, []]);
    expect(written.replace(`${row}\n`, "")).toBe(FILE);
    expect(readCluster(written, () => {}).nas.kopiaRepository).toBe(OURS);
  });
  test.each([
    ["comments around it", "# a\nnas: # b\n  # c\n  address: nas.home # d\n  # e\n  exports: {kopia: /a} # f\nlast: 1\n"],
    ["the end of the file", "nas:\n    exports: {}\n    address: nas"],
    ["Windows line ends", "nas:\r\n  address: nas\r\nlast: 1\r\n"],
  ])("keeps %s", async (_what, text) => {
    const written = (await withIdentity(text, OURS!))!;
    expect(written.split(/\r?\n/).filter((line) => !line.includes("kopiaRepository"))).toEqual(text.split(/\r?\n/));
  });
  test.each([
    ["in flow style", "nas: {address: nas}\n"],
    ["absent", "a: 1\n"],
    ["without an address", "nas:\n  exports: {}\n"],
  ])("is left alone when nas is %s", async (_what, text) => expect(await withIdentity(text, OURS!)).toBeUndefined());
});

describe("the procedure", () => {
  const open = async ({
    recorded,
    pods = [pod(ended(0, OURS))],
    ...setup
  }: RecordSetup & { recorded?: string; pods?: KubernetesObject[] }) => {
    const root = mkdtempSync(join(tmpdir(), "identity-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, "talos"));
    writeFileSync(join(root, "talos/cluster.yaml"), FILE);
    const { nas } = testCluster();
    const lab = await record({
      ...(await ourKubeconfig()),
      root,
      cluster: testCluster({ nas: { ...nas, ...(recorded && { kopiaRepository: recorded }) } }),
      answers: { [PODS]: JSON.stringify({ items: pods }) },
      ...setup,
    });
    return { lab, end: String(await lab.run(identity, {})), file: readFileSync(join(root, "talos/cluster.yaml"), "utf8") };
  };
  test("records what the Job opened and says what is left to do", async () => {
    const { lab, file } = await open({});
    expect(file).toBe(await withIdentity(FILE, OURS!));
    expect(lab.plans).toEqual([{ title: "volsync:identity", lines: [`write nas.kopiaRepository: ${OURS} into talos/cluster.yaml`] }]);
    expect(lab.said.at(-1)).toBe("talos/cluster.yaml records it; it takes effect with: task configure, then commit and push");
    expect(lab.commands).toEqual([`ask ${PODS}`]);
  });
  test("changes nothing when it is recorded, in a dry run, and after No", async () => {
    for (const setup of [{ recorded: OURS! }, { dryRun: true }, { yes: false }]) expect((await open(setup)).file).toBe(FILE);
  });
  test("refuses another repository than the recorded one", async () => {
    const { end, file } = await open({ recorded: OTHER! });
    expect(end).toContain(`is ${OURS}, talos/cluster.yaml records ${OTHER}`);
    expect(file).toBe(FILE);
  });
  test("shows why the Job failed, or how to start it again", async () => {
    expect((await open({ pods: [pod(ended(1, "This path holds no repository"))] })).end).toContain("said: This path holds no repository");
    expect((await open({ pods: [] })).end).toContain("next: kubectl --namespace volsync-system delete job kopia-repository");
  });
});
