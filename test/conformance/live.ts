// The read-only part against a cluster that is really there: only when it is named by its id, and only when that is the cluster which answers.
import { spawnSync } from "node:child_process";
import type { Outcome } from "./compare.ts";

/** The lines that only read, for the nodes of another home than the tests': its addresses take the place of theirs, in order. */
export const readingLines = (lines: string[], from: string[], to: string[]): string[] => [
  ...new Set(
    lines
      .filter((line) => /^(talosctl .*(get |etcd members|version)|kubectl get|kubectl version|helm list|helm version|helmfile --version|flux version)/.test(line))
      .filter((line) => !line.includes("--insecure"))
      .flatMap((line) => {
        const address = from.find((one) => line.includes(one));
        return address === undefined ? [line] : to.map((one) => line.replaceAll(address, one));
      }),
  ),
]; // prettier-ignore

/** Refuses before anything else was asked when the cluster that answers is another one. */
export function expectCluster(wanted: string, say: (line: string) => Outcome): void {
  const { code, stdout, stderr } = say("kubectl get namespace kube-system --output 'jsonpath={.metadata.uid}'");
  if (code !== 0) throw new Error(`no cluster answers, so it cannot be ${wanted}: ${stderr.trim()}`);
  if (stdout.trim() !== wanted)
    throw new Error(`CLUSTER=${wanted} is another cluster than the one that answers, ${stdout.trim()}: nothing was asked of it`);
}

/** In the caller's own environment. */
export function sayHere(line: string, env = process.env): Outcome {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `set -euo pipefail; ${line}`], { env, encoding: "utf8", timeout: 60_000 });
  return { code: status, stdout, stderr };
}
