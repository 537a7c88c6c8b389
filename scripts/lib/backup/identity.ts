// The identity of the Kopia repository: the Job that opens it reports it, talos/cluster.yaml records it.
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../kubernetes/kubernetes.ts";

export const JOB = { name: "kopia-repository", namespace: "volsync-system" } as const;

export type IdentityState = { identity: string } | { failed: string } | { waiting: string };

interface Pod extends KubernetesObject {
  status?: KubernetesObject["status"] & {
    startTime?: string;
    containerStatuses?: { state?: Record<string, Ended | undefined>; lastState?: { terminated?: Ended } }[];
  };
}

interface Ended {
  exitCode?: number;
  message?: string;
}

/** The result of the Job's newest pod: the identity of the repository that it opened, or why it failed. */
export function readIdentity(pods: readonly KubernetesObject[]): IdentityState {
  const [newest] = (pods as readonly Pod[]).toSorted((a, b) => (b.status?.startTime ?? "").localeCompare(a.status?.startTime ?? ""));
  if (!newest) return { waiting: "it has no pod" };
  const [container] = newest.status?.containerStatuses ?? [];
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  if (!ended) return { waiting: `its pod ${newest.metadata.name} has not ended` };
  const message = (ended.message ?? "").trim();
  if (ended.exitCode !== 0) return { failed: message || `it ended with ${ended.exitCode} and no message` };
  return /^[0-9a-f]{64}$/.test(message)
    ? { identity: message }
    : { waiting: "its pod reports no identity: it is older than this procedure" };
}

/** talos/cluster.yaml with `nas.kopiaRepository`; every other byte stays. Undefined where the form of `nas` allows no new line. */
export async function withIdentity(text: string, identity: string): Promise<string | undefined> {
  const { isMap, isScalar, parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const nas = document.get("nas", true);
  if (!isMap(nas) || nas.flow) return undefined;
  const [first] = nas.items;
  const address = nas.items.find(({ key }) => isScalar(key) && key.value === "address");
  const [key, value] = [first?.key, address?.value];
  if (!isScalar(key) || !key.range || !isScalar(value) || !value.range) return undefined;
  const indent = text.slice(text.lastIndexOf("\n", key.range[0]) + 1, key.range[0]);
  const newline = text.indexOf("\n", value.range[1]);
  const [at, before, after] = newline < 0 ? [text.length, "\n", ""] : [newline + 1, "", text.includes("\r\n") ? "\r\n" : "\n"];
  const row = `${indent}kopiaRepository: "${identity}" # the one repository of this home: task volsync:identity`;
  const written = `${text.slice(0, at)}${before}${row}${after}${text.slice(at)}`;
  const [old, now] = [document.toJS(), parseDocument(written).toJS()] as { nas: object }[];
  return isDeepStrictEqual(now, { ...old, nas: { ...old!.nas, kopiaRepository: identity } }) ? written : undefined;
}
