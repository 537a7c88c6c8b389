// Sends what the controllers wrote to the API server, in order, and takes what it makes of it. What it refuses is undone here: the API server is right.
import { setTimeout as pause } from "node:timers/promises";
import { type Kind, kindNamed, resourceOf } from "../../world/cluster/kinds.ts";
import { keyOf } from "../../world/cluster/store.ts";
import { type Answer, type ApiClient, APPLY, MERGE } from "./client.ts";
import { wholeDefinition } from "../../world/cluster/definitions.ts";
import { pathOf } from "./follow.ts";
import { nameOfSecret, secretOf, withStatus } from "./releases.ts";
import type { ClusterState, KubeObject, Write } from "../../world/cluster/state.ts";

/** What came of a write: the object as it is now, or that there is none, and what was refused. */
export interface Sent {
  kind: Kind;
  key: string;
  object: KubeObject | undefined;
  /** What was refused, why in the API server's words, and the object where one was applied. */
  refused?: { what: string; why: string };
  wanted?: KubeObject;
}

const SECRETS: Kind = { group: "", versions: ["v1"], kind: "Secret", plural: "secrets", short: [], namespaced: true };

/** A definition that was just made is served after a moment. */
const SERVED_WITHIN_MS = 15_000;

/** Sends one write; several answers where a release has several Secrets. Rejects when the connection fails. */
export async function send(client: ApiClient, state: Readonly<ClusterState>, write: Write): Promise<Sent[]> {
  if (write.verb === "release") return sendRelease(client, state, write.namespace, write.name);
  const { apiVersion, kind: kindName } = write.verb === "apply" ? write.object : write;
  const kind = kindNamed(state, apiVersion, kindName);
  if (!kind) return []; // its definition went in the meantime, and all its objects with it
  const [namespace, name] = write.verb === "apply" ? placeOf(kind, write.object) : partsOf(write.key);
  const key = keyOf(kind, kind.namespaced ? namespace : undefined, name);
  const path = pathOf(kind, namespace, name);
  const manager = `fieldManager=${encodeURIComponent(write.by)}`;
  const answer = await again(async () => {
    if (write.verb === "apply") return client.ask("PATCH", `${path}?${manager}&force=true`, applied(write.object, kind, namespace), APPLY);
    if (write.verb === "patch") return client.ask("PATCH", `${path}?${manager}`, write.patch, MERGE);
    if (write.verb === "status") return client.ask("PATCH", `${path}/status?${manager}`, { status: withTimes(write.status) }, MERGE);
    if (write.verb === "finalize")
      return client.ask("PUT", `${path}/finalize`, { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: { finalizers: [] } });
    return client.ask("DELETE", path, { propagationPolicy: "Background" });
  }, write.verb === "apply");
  if (answer.status < 300 && write.verb !== "delete" && write.verb !== "finalize") return [{ kind, key, object: answer.body }];
  const now = await client.ask("GET", path);
  const object = now.status === 200 ? (now.body as KubeObject) : undefined;
  const gone = answer.status === 404 && write.verb !== "apply";
  if (answer.status < 300 || gone || answer.status === 409) return [{ kind, key, object }];
  return [
    {
      kind,
      key,
      object,
      refused: { what: `${write.verb} of ${resourceOf(kind)} ${name}`, why: String(answer.body?.message ?? answer.status) },
      ...(write.verb === "apply" && { wanted: write.object }),
    },
  ];
}

/** When a condition became what it is, where its controller did not say: the time of the home is of no interest, and the API server wants one. */
function withTimes(status: { conditions?: object[] }): object {
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
  return { ...status, ...(status.conditions && { conditions: status.conditions.map((one) => ({ lastTransitionTime, ...one })) }) };
}

async function again(ask: () => Promise<Answer>, until404: boolean): Promise<Answer> {
  const until = performance.now() + SERVED_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    const passes = answer.status === 429 || answer.status === 503 || (until404 && answer.status === 404 && !answer.body?.details?.name);
    if (!passes || performance.now() > until) return answer;
    await pause(50);
  }
}

const placeOf = (kind: Kind, { metadata }: KubeObject): [string | undefined, string] => [
  kind.namespaced ? (metadata.namespace ?? "default") : undefined,
  metadata.name,
];
const partsOf = (key: string): [string | undefined, string] => {
  const [, namespace, name] = key.split("/");
  return [namespace || undefined, name!];
};

/** As a controller applies it: definitions whole, and nothing that only the API server says. */
function applied(object: KubeObject, kind: Kind, namespace: string | undefined): KubeObject {
  const { status: _, ...rest } = object.kind === "CustomResourceDefinition" ? wholeDefinition(object) : object;
  const { name, labels, annotations } = object.metadata;
  return {
    ...rest,
    metadata: { name, ...(kind.namespaced && { namespace }), ...(labels && { labels }), ...(annotations && { annotations }) },
  } as KubeObject;
}

/** Brings helm's Secrets of a release to what the state says: new revisions, other statuses, none when it is gone. */
async function sendRelease(client: ApiClient, state: Readonly<ClusterState>, namespace: string, name: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  const add = (answer: Answer, secret: string) => {
    const object = answer.status < 300 && answer.body?.kind === "Secret" ? (answer.body as KubeObject) : undefined;
    sent.push({
      kind: SECRETS,
      key: keyOf(SECRETS, namespace, secret),
      object,
      ...(answer.status >= 300 &&
        answer.status !== 409 && { refused: { what: `Secret ${secret}`, why: String(answer.body?.message ?? answer.status) } }),
    });
  };
  const release = state.releases[`${namespace}/${name}`];
  if (!release) {
    await client.ask("DELETE", `${pathOf(SECRETS, namespace)}?labelSelector=${encodeURIComponent(`owner=helm,name=${name}`)}`);
    return [];
  }
  for (const at of release.history) {
    const secret = nameOfSecret(name, at.revision);
    const had = await client.ask("GET", pathOf(SECRETS, namespace, secret));
    if (had.status === 404) add(await client.ask("POST", `${pathOf(SECRETS, namespace)}?fieldManager=helm`, secretOf(release, at)), secret);
    else if (had.body.metadata.labels?.status !== at.status)
      add(
        await client.ask("PUT", `${pathOf(SECRETS, namespace, secret)}?fieldManager=helm`, withStatus(had.body, at.status, at.description)),
        secret,
      );
  }
  return sent;
}
