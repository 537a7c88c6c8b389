// Every contact with the cluster goes through a proven ClusterAccess: in the source, and with another cluster's kubeconfig in every procedure.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apps } from "../../../scripts/bootstrap/apps.ts";
import { crds } from "../../../scripts/bootstrap/crds.ts";
import { flux } from "../../../scripts/bootstrap/flux.ts";
import { kubeconfig } from "../../../scripts/bootstrap/kubeconfig.ts";
import { nodes } from "../../../scripts/bootstrap/nodes.ts";
import { resources } from "../../../scripts/bootstrap/resources.ts";
import { apply } from "../../../scripts/flux/apply.ts";
import { deleteApp } from "../../../scripts/flux/delete.ts";
import { diff } from "../../../scripts/flux/diff.ts";
import { sync } from "../../../scripts/flux/sync.ts";
import { expectOurCluster, reachCluster } from "../../../scripts/lib/kubernetes/access.ts";
import { strangeness } from "../../../scripts/lib/kubernetes/identity.ts";
import { suspendedLeftovers } from "../../../scripts/lib/flux/suspended.ts";
import { identity } from "../../../scripts/volsync/identity.ts";
import type { Options, Values } from "../../../scripts/lib/run/options.ts";
import { record } from "../recorder.ts";
import { kubeconfigFor, testCluster } from "../test-cluster.ts";
import type { Procedure } from "../../../scripts/lib/run/spec.ts";

/** Commands in a template, with the name that runs them: "access.ask" and "kubectl get nodes". */
const COMMAND = /([\w.$]+)(?:\((?:[^()`]|\([^()`]*\))*\))?`(?:cat \| )?((?:kubectl|helm|helmfile|flux) [^`]*)/g;
/** These read files and registries, not the cluster. */
const LOCAL = /^(kubectl version --client|helmfile --file \S+ (list|--quiet template) |flux version --client)/;

test("no command reaches the cluster except through a ClusterAccess", () => {
  const files = readdirSync("scripts", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found = files.flatMap((file) =>
    [...readFileSync(join("scripts", file), "utf8").matchAll(COMMAND)].map(([, door, command]) => ({ file, door, command })),
  );
  expect(found.length).toBeGreaterThan(15);
  const outside = found.filter(({ door, command }) => !["access.ask", "access.$"].includes(door!) && !LOCAL.test(command!));
  expect(outside).toEqual([]);
});

const FOREIGN: [what: string, file: () => string, said: RegExp][] = [
  ["another server", () => kubeconfigFor(testCluster(), { server: "https://10.9.9.9:6443" }), /its server is https:\/\/10\.9\.9\.9:6443/],
  ["another authority at our address", () => kubeconfigFor(testCluster(), { ca: "WFla" }), /it trusts another authority/],
  [
    "no check of the server's certificate",
    () => kubeconfigFor(testCluster(), { more: { "insecure-skip-tls-verify": true } }),
    /it does not verify the server's certificate/,
  ],
  ["text that is no kubeconfig", () => written("<html>502</html>"), /it is not a kubeconfig/],
  ["no current context", () => written("{}"), /it has no current context/],
];

function written(text: string): string {
  const file = kubeconfigFor(testCluster());
  writeFileSync(file, text);
  return file;
}

const procedures = [
  ["bootstrap:kubeconfig", kubeconfig, {}],
  ["bootstrap:nodes", nodes, {}],
  ["bootstrap:resources", resources, {}],
  ["bootstrap:crds", crds, {}],
  ["bootstrap:apps", apps, {}],
  ["bootstrap:flux", flux, {}],
  ["flux:diff", diff, { app: "cilium-config" }],
  ["flux:apply", apply, { app: "cilium-config" }],
  ["flux:delete", deleteApp, { app: "echo" }],
  ["flux:sync", sync, {}],
  ["volsync:identity", identity, {}],
] as unknown as [string, Procedure<Options>, Values<Options>][];

describe.each(FOREIGN)("with a kubeconfig of %s", (_what, file, said) => {
  test.each(procedures.flatMap(([name, spec, values]) => [false, true].map((dryRun) => [name, dryRun, spec, values] as const)))(
    "%s (dry run: %s) refuses, and the server receives nothing",
    async (_name, dryRun, spec, values) => {
      const lab = await record({ dryRun, env: { KUBECONFIG: file() }, answers: { "git rev-parse": "abc\n", git: "" } });
      expect(String(await lab.run(spec, values))).toMatch(said);
      expect(lab.commands.filter((line) => !line.startsWith("ask git "))).toEqual([]);
    },
  );
  test("leftovers of the cluster refuse too", async () => {
    const lab = await record({ env: { KUBECONFIG: file() } });
    await expect(suspendedLeftovers.observe([], lab.context, () => true)).rejects.toThrow(said);
    expect(lab.commands).toEqual([]);
  });
});

describe("access", () => {
  test("is not there without a kubeconfig, and nothing is asked", async () => {
    const lab = await record({ env: { KUBECONFIG: "/nowhere/kubeconfig" } });
    expect(await reachCluster(lab.context)).toEqual({ waiting: "/nowhere/kubeconfig does not exist" });
    await expect(expectOurCluster(lab.context)).rejects.toThrow("the file does not exist");
    expect(lab.commands).toEqual([]);
  });
  test("ends when the kubeconfig is replaced meanwhile", async () => {
    const file = kubeconfigFor(testCluster());
    const lab = await record({ env: { KUBECONFIG: file }, answers: { kubectl: "ok" } });
    const access = await expectOurCluster(lab.context);
    await access.ask`kubectl get nodes`;
    writeFileSync(file, readFileSync(kubeconfigFor(testCluster(), { ca: "WFla" })));
    expect(() => access.ask`kubectl get nodes`).toThrow("the file changed while this procedure ran");
    expect(() => access.$({ timeout: "1s" })`kubectl delete node a`).toThrow("the file changed while this procedure ran");
    expect(lab.commands).toEqual(["ask kubectl get nodes"]);
  });
  test("a change through it passes the gate of effects", async () => {
    const lab = await record({ dryRun: true });
    const access = await expectOurCluster(lab.context);
    await expect(async () => access.$`kubectl delete node a`).rejects.toThrow("a dry run tried to change something: kubectl delete node a");
  });
});

describe("the file alone shows", () => {
  const of = (change: string) => strangeness(change, testCluster(), async () => "QU\nJD\n");
  const config = (context: string, clusters: string) => `current-context: x\ncontexts: ${context}\nclusters: ${clusters}`;
  const CONTEXT = "[{name: x, context: {cluster: c}}]";
  const OURS = '{name: c, cluster: {server: "https://192.168.120.100:6443", certificate-authority-data: "QUJD"}}';
  test("our endpoint and our authority", async () => expect(await of(config(CONTEXT, `[${OURS}]`))).toBeUndefined());
  test("a name that two clusters or contexts have leads nowhere", async () => {
    expect(await of(config(CONTEXT, `[${OURS}, ${OURS}]`))).toBe("it has no current context");
    expect(await of(config("[{name: x, context: {cluster: d}}, {name: x, context: {cluster: c}}]", `[${OURS}]`))).toBe(
      "it has no current context",
    );
  });
  test.each(["", "null", "5", "[]", "contexts: 5", "current-context: x\ncontexts: {x: 1}", "a: b: c"])("%j proves nothing", async (text) =>
    expect(await of(text)).toMatch(/^it (has no current context|is not a kubeconfig)$/),
  );
  test("the vault is not asked about a server that is not ours", async () => {
    const asked = () => Promise.reject(new Error("the vault was asked"));
    expect(await strangeness(config(CONTEXT, "[{name: c, cluster: {server: x}}]"), testCluster(), asked)).toMatch(/^its server is x/);
  });
});
