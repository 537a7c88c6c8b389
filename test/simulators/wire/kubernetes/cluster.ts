// One running cluster: its servers, their watches, and the turns in which changes come in, controllers act, and their writes go out.
import { tick } from "../../world/cluster/cluster.ts";
import type { World } from "../../world/world.ts";
import { openFollowers } from "./follow.ts";
import type { Identity } from "./identity.ts";
import { changesKinds, createMirror, kindsToFollow } from "./mirror.ts";
import { send } from "./outbox.ts";
import { startServers, type Tools } from "./servers.ts";
import { applyFailed } from "../../world/flux/kustomize.ts";
import type { Write } from "../../world/cluster/state.ts";

export interface Cluster {
  port: number;
  /** One turn; rejects when the servers are gone. */
  turn(): Promise<void>;
  /** Whether changes are pending in either direction. */
  busy(): boolean;
  hold(): () => void;
  close(): Promise<void>;
}

/** Writes of one kind that go out side by side. */
const TOGETHER = 8;
/** The controllers look at least so often: a commit that is pushed to a Git remote changes nothing in the world. */
const LONGEST_MS = 5_000;

export async function openCluster(
  world: World,
  tools: Tools,
  {
    heard,
    refused,
    ...of
  }: { folder: string; identity: Identity; serviceSubnet: string; heard: (line: string) => void; refused: (what: string) => void },
): Promise<Cluster> {
  const servers = await startServers(tools, { ...of, audit: heard });
  let failed: Error | undefined;
  const followers = openFollowers(servers.client, (error) => (failed = error));
  const mirror = createMirror();
  followers.follow(kindsToFollow(world.state.cluster));
  let working = false;
  /** What the controllers have seen, and when something is due by itself. */
  let seen = { revision: -1, next: -Infinity };

  const absorb = () => {
    const news = followers.take();
    if (!news.some((one) => mirror.isNew(world.state.cluster, one))) return;
    world.change("world", "the cluster changed", ({ cluster }) => {
      // one after the other: a list may take away what a later event brings back
      for (const one of news) if (mirror.isNew(cluster, one)) mirror.absorb(cluster, one, world.now());
    });
    if (news.some(changesKinds)) followers.follow(kindsToFollow(world.state.cluster));
  };
  const flush = async () => {
    for (let batch = next(world.state.cluster.outbox!); batch.length > 0; batch = next(world.state.cluster.outbox!)) {
      const sent = (await Promise.all(batch.map((write) => send(servers.client, world.state.cluster, write)))).flat();
      world.change("world", "the controllers wrote", ({ cluster }) => {
        cluster.outbox!.splice(0, batch.length);
        for (const { kind, key, object } of sent) mirror.settle(cluster, kind, key, object, world.now());
        for (const { refused: no, wanted } of sent)
          if (no && !applyFailed(cluster, wanted, no.why, world.now())) refused(`${no.what}: ${no.why}`);
      });
    }
  };
  return {
    port: servers.port,
    async turn() {
      servers.check();
      if (failed) throw failed;
      working = true;
      absorb();
      if (followers.complete()) {
        await flush(); // what a home that was killed had not sent yet
        if (world.revision !== seen.revision || world.now() >= seen.next) {
          const { revision } = world;
          seen = { revision, next: Math.min(tick(world), world.now() + LONGEST_MS) };
          await flush();
        }
      }
      working = false;
    },
    busy: () => working || !followers.complete() || world.state.cluster.outbox!.length > 0,
    hold: () => servers.hold(),
    async close() {
      followers.close();
      await servers.stop();
    },
  };
}

/** The first writes that can go together: to objects of one kind, each once. */
function next(outbox: Write[]): Write[] {
  const kindOf = (write: Write) => `${write.verb} ${write.verb === "release" ? "" : (write.verb === "apply" ? write.object : write).kind}`;
  const nameOf = (write: Write) =>
    write.verb === "release"
      ? `${write.namespace}/${write.name}`
      : write.verb === "apply"
        ? `${write.object.metadata.namespace}/${write.object.metadata.name}`
        : write.key;
  const batch: Write[] = [];
  for (const write of outbox) {
    const same = batch.length === 0 || kindOf(write) === kindOf(batch[0]!);
    if (!same || batch.length === TOGETHER || batch.some((one) => nameOf(one) === nameOf(write))) break;
    batch.push(write);
  }
  return batch;
}
