// A real API server with nothing behind it, and Flux's own apply in front.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { KubeObject } from "../../../scripts/lib/tree/types.ts";
import { createAuthority } from "../../simulators/world/certificates.ts";
import { writeIdentity } from "../../simulators/wire/kubernetes/identity.ts";
import { startServers } from "../../simulators/wire/kubernetes/servers.ts";
import type { KubernetesCluster } from "../../simulators/world/talos/machines.ts";
import { builtTools } from "../../tools/find.ts";

export interface Answer {
  /** `Namespace/apps`, `ConfigMap/apps/settings`: what was written. */
  applied: string[];
  error?: string;
}

export interface ApiServer {
  /** Applies a set as kustomize-controller does. */
  apply(objects: readonly KubeObject[]): Promise<Answer>;
  end(): Promise<void>;
}

/** Up when it returns. */
export async function apiServer(): Promise<ApiServer> {
  const tools = builtTools();
  const folder = mkdtempSync(join(tmpdir(), "apply-stages-"));
  const ca = createAuthority({ subject: { organizations: ["kubernetes"] }, days: 1, use: ["server", "client"] });
  const cluster = { ca: ca.cert, endpoint: "https://127.0.0.1:6443", serviceSubnets: ["10.96.0.0/16"] } as unknown as KubernetesCluster;
  const identity = writeIdentity(join(folder, "pki"), { cluster, caKey: ca.key, serviceAccount: "", addresses: [] });
  const servers = await startServers(
    { etcd: tools.bin("etcd"), kubeApiserver: tools.bin("kube-apiserver") },
    { folder: join(folder, "data"), identity, serviceSubnet: "10.96.0.0/16", audit: () => {} },
  );
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { cert, key } = identity.controllers;
  const words = [
    "--server",
    `https://127.0.0.1:${servers.port}`,
    "--ca",
    file("ca.crt", ca.cert),
    "--cert",
    file("client.crt", cert),
    "--key",
    file("client.key", key),
  ];
  const flux = spawn(tools.bin("flux-apply"), words, { stdio: ["pipe", "pipe", "pipe"] });
  const ask = conversation(flux);
  return {
    apply: (objects) => ask({ objects }),
    async end() {
      flux.kill();
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A line out, a line back; what it said on stderr when it ends instead. */
function conversation(child: ChildProcess): (question: unknown) => Promise<Answer> {
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (part: string) => (said += part));
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async (question) => {
    child.stdin!.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`flux-apply ended: ${said}`);
    return JSON.parse(value) as Answer;
  };
}
