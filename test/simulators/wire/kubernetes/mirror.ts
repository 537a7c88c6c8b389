// Makes the world's cluster a copy of what the API server holds: news comes in, and what the controllers remember of an object stays with it.
import { isDeepStrictEqual } from "node:util";
import { isEstablished, type Kind, kindsOf, resourceOf } from "../../world/cluster/kinds.ts";
import { keyOf } from "../../world/cluster/store.ts";
import type { News } from "./follow.ts";
import { isRelease, releaseOf, revisionOf } from "./releases.ts";
import { isServersOwn, statedOf } from "./stated.ts";
import type { ClusterState, Entry, KubeObject } from "../../world/cluster/state.ts";

export interface Mirror {
  /** Whether this news would change anything; what the controllers wrote themselves comes back as news. */
  isNew(state: Readonly<ClusterState>, news: News): boolean;
  /** Takes news into the state; `now` in milliseconds. */
  absorb(state: ClusterState, news: News, now: number): void;
  /** Takes the API server's answer to a write, whose local form has another uid and version; without an object there is none any more. */
  settle(state: ClusterState, kind: Kind, key: string, object: KubeObject | undefined, now: number): void;
}

/** Kinds that the API server keeps for itself, or that stand for others: nobody states anything in them, and they change all the time. */
const SERVERS_KINDS =
  /^(leases|events|apiservices|ipaddresses|servicecidrs|componentstatuses|endpoints|endpointslices|flowschemas|prioritylevelconfigurations)(\.|$)/;

/** The kinds to follow now. */
export const kindsToFollow = (state: Readonly<ClusterState>): Kind[] =>
  kindsOf(state).filter((kind) => !SERVERS_KINDS.test(resourceOf(kind)));

/** Whether a definition came or went, so that other kinds are to be followed. */
export const changesKinds = (news: News) =>
  news.kind.kind === "CustomResourceDefinition" && (news.what !== "changed" || isEstablished({ object: news.object, at: 0 }));

const placeOf = (kind: Kind, { metadata }: KubeObject) => keyOf(kind, metadata.namespace, metadata.name);

/** Namespaces that the API server makes are everybody's. */
const isMirrored = (object: KubeObject) => object.kind === "Namespace" || !isServersOwn(object);

/** Versions are etcd's revisions: a later one is a greater number. */
const isOlder = (object: KubeObject, than: KubeObject | undefined) =>
  than?.metadata.uid === object.metadata.uid && Number(object.metadata.resourceVersion) <= Number(than!.metadata.resourceVersion);

export function createMirror(): Mirror {
  /** Helm's Secrets, which stand for the releases and are in the state as those. */
  const secrets = new Map<string, KubeObject>();

  const gather = (state: ClusterState, { metadata: { namespace, labels } }: KubeObject) => {
    const key = `${namespace}/${labels?.name}`;
    const own = [...secrets.values()].filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.name === labels?.name);
    if (own.length === 0) delete state.releases[key];
    else state.releases[key] = releaseOf(own.map(revisionOf), state.releases[key]);
  };
  const put = (state: ClusterState, kind: Kind, object: KubeObject, now: number, own: boolean) => {
    const key = placeOf(kind, object);
    if (isRelease(object)) {
      secrets.set(key, object);
      return gather(state, object);
    }
    const had = state.objects[key];
    if (!isMirrored(object) || (!own && isOlder(object, had?.object))) return;
    const next = statedOf(object);
    const known = had && (own || had.object.metadata.uid === object.metadata.uid) ? had : undefined;
    const at = known && (own || !isChanged(known.object, next)) ? known.at : now;
    state.objects[key] = { ...known, object: next, at };
  };
  const drop = (state: ClusterState, kind: Kind, object: KubeObject) => {
    const key = placeOf(kind, object);
    if (secrets.delete(key)) gather(state, object);
    else if (state.objects[key]?.object.metadata.uid === object.metadata.uid) delete state.objects[key];
  };
  return {
    isNew(state, news) {
      if (news.what === "all") return true;
      const key = placeOf(news.kind, news.object);
      const known = isRelease(news.object) ? secrets.get(key) : state.objects[key]?.object;
      if (news.what === "gone") return known?.metadata.uid === news.object.metadata.uid;
      return isMirrored(news.object) && !isOlder(news.object, known);
    },
    absorb(state, news, now) {
      if (news.what === "changed") return put(state, news.kind, news.object, now, false);
      if (news.what === "gone") return drop(state, news.kind, news.object);
      const there = new Set(news.objects.map((object) => placeOf(news.kind, object)));
      for (const [key, { object }] of Object.entries(state.objects)) {
        // what was written after the list was made is not in it
        const later = Number(object.metadata.resourceVersion) > Number(news.version);
        if (key.startsWith(`${resourceOf(news.kind)}/`) && !there.has(key) && !later) delete state.objects[key];
      }
      if (news.kind.kind === "Secret") {
        const releases = new Set(news.objects.filter(isRelease).map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.name}`));
        secrets.clear();
        for (const key of Object.keys(state.releases)) if (!releases.has(key)) delete state.releases[key];
      }
      for (const object of news.objects) put(state, news.kind, object, now, false);
    },
    settle(state, kind, key, object, now) {
      if (object) put(state, kind, object, now, true);
      else delete state.objects[key];
    },
  };
}

/** By its generation where the API server counts one, which statuses do not raise. */
const isChanged = (had: KubeObject, next: KubeObject) =>
  next.metadata.generation === undefined
    ? !isDeepStrictEqual(bodyOf(had), bodyOf(next))
    : had.metadata.generation !== next.metadata.generation;

const bodyOf = ({ metadata: _, status: __, ...body }: KubeObject): Entry["object"] | object => body;
