// A real etcd and a real kube-apiserver on loopback. The data lie in the home; the sockets between the two do not, since a folder with sockets in it cannot be copied.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { socketFolder } from "../../home/home-folder.ts";
import { type ApiClient, openClient } from "./client.ts";
import { type Child, startChild } from "./child.ts";
import type { Identity } from "./identity.ts";

export interface Tools {
  etcd: string;
  kubeApiserver: string;
}

export interface Servers {
  /** Of the API server itself; clients come through the door. */
  port: number;
  client: ApiClient;
  /** Throws in one line with what was said last when one of the two has ended by itself. */
  check(): void;
  /** Holds etcd still, so that its files can be copied as they are, until the function that comes back is called. */
  hold(): () => void;
  stop(): Promise<void>;
}

const READY_SECONDS = 300; // only stops a start that hangs

/** Starts both over the data in `folder`, which is made; ready when it returns. `audit` gets the API server's audit events as JSON. */
export async function startServers(
  { etcd, kubeApiserver }: Tools,
  { folder, identity, serviceSubnet, audit }: { folder: string; identity: Identity; serviceSubnet: string; audit: (line: string) => void },
): Promise<Servers> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const cwd = mkdtempSync(join(socketFolder(), "kubernetes-"));
  const store = startChild(etcd, etcdWords(join(folder, "etcd")), { cwd, log: join(folder, "etcd.log") });
  const policy = join(folder, "audit-policy.json");
  writeFileSync(policy, JSON.stringify(AUDIT));
  const port = await freePort();
  const api = startChild(kubeApiserver, apiWords({ port, identity, serviceSubnet, policy, certificates: join(folder, "pki") }), {
    cwd,
    log: join(folder, "kube-apiserver.log"),
    lines: audit,
  });
  const check = () => {
    for (const [name, child] of [
      ["etcd", store],
      ["kube-apiserver", api],
    ] as [string, Child][])
      if (!child.running()) throw new Error(`${name} of the simulated cluster has ended: ${child.said()}`);
  };
  const client = openClient({ port, ca: identity.ca, ...identity.controllers });
  const stop = async () => {
    client.close();
    await api.stop();
    await store.stop();
    rmSync(cwd, { recursive: true, force: true });
  };
  try {
    await ready(client, check);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, client, check, stop, hold: () => store.hold() };
}

async function ready(client: ApiClient, check: () => void): Promise<void> {
  const until = performance.now() + READY_SECONDS * 1000;
  for (;;) {
    check();
    const answer = await client.ask("GET", "/readyz").catch((error: Error) => ({ status: 0, body: error.message }));
    if (answer.status === 200) return;
    if (performance.now() > until)
      throw new Error(`the API server of the simulated cluster is not ready after ${READY_SECONDS} s: ${JSON.stringify(answer.body)}`);
    await pause(50);
  }
}

const etcdWords = (data: string) => [
  ...["--name", "home", "--data-dir", data, "--unsafe-no-fsync", "--log-level", "warn", "--auto-compaction-retention", "1h"],
  ...["--listen-client-urls", "unix://localhost:1", "--advertise-client-urls", "unix://localhost:1"],
  ...["--listen-peer-urls", "unix://localhost:2", "--initial-advertise-peer-urls", "unix://localhost:2"],
  ...["--initial-cluster", "home=unix://localhost:2"],
];

function apiWords(of: { port: number; identity: Identity; serviceSubnet: string; policy: string; certificates: string }): string[] {
  const { identity } = of;
  return [
    "--etcd-servers=unix://localhost:1",
    "--bind-address=127.0.0.1",
    `--secure-port=${of.port}`,
    // the Service `kubernetes` has no endpoints: nobody here comes from within
    "--endpoint-reconciler-type=none",
    `--cert-dir=${of.certificates}`,
    `--tls-cert-file=${identity.servingCert}`,
    `--tls-private-key-file=${identity.servingKey}`,
    `--client-ca-file=${identity.clientCa}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${identity.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${identity.serviceAccountKey}`,
    `--service-cluster-ip-range=${of.serviceSubnet}`,
    "--authorization-mode=RBAC",
    // a pod would wait for a service account, and a claim that goes for its protection to be lifted: both are the controller manager's
    "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection",
    // one watch for each kind over one connection
    "--http2-max-streams-per-connection=1000",
    "--enable-priority-and-fairness=false",
    "--runtime-config=api/alpha=false",
    "--profiling=false",
    "--audit-log-path=-",
    "--audit-log-mode=blocking",
    `--audit-policy-file=${of.policy}`,
  ];
}

/** Changes by those who come with the cluster's admin certificate: the product. */
const AUDIT = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  rules: [{ level: "Metadata", users: ["admin"], verbs: ["create", "update", "patch", "delete"] }, { level: "None" }],
};

/** A port that is free now; nobody else on this machine is as quick. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
