// kubectl diff: what a server-side apply would change, as `diff -u` shows it; exit 1 when anything would.
import { createTwoFilesPatch } from "diff";
import { stringify } from "yaml";
import { kindNamed } from "../../world/cluster/kinds.ts";
import { manifests } from "../../world/kustomize/kustomize.ts";
import { noMatch, storeOf } from "../../world/cluster/store.ts";
import { Untaught } from "../../world/tool.ts";
import { type KubeCall, KubeError, reachApi, reading, textOf } from "./client.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

/** Throws an error without a message if there are differences, which are already on stdout. */
export async function diffCommand(kube: KubeCall): Promise<void> {
  const { world, call, words } = kube;
  const file = words.text("filename");
  if (!words.on("server-side") || file === undefined) throw new Untaught("diff without --server-side and --filename");
  const objects = manifests(await textOf(call, file));
  await reachApi(kube);
  const now = world.now();
  const draft = structuredClone(world.state.cluster);
  const errors: string[] = [];
  let differs = false;
  for (const object of objects) {
    const kind = kindNamed(world.state.cluster, object.apiVersion, object.kind);
    if (!kind) {
      errors.push(`error: ${noMatch(object, file === "-" ? "STDIN" : file)}`);
      continue;
    }
    const live = reading(world).get(kind, object.metadata.namespace, object.metadata.name)?.object;
    const merged = storeOf(draft, now).apply(object);
    // a dry run keeps it
    if (!("error" in merged) && live?.metadata.resourceVersion) merged.object.metadata.resourceVersion = live.metadata.resourceVersion;
    if ("error" in merged) errors.push(merged.error);
    else if (merged.done !== "unchanged") {
      differs = true;
      const name = nameOf(merged.object);
      const patch = createTwoFilesPatch(
        `/tmp/LIVE-1/${name}`,
        `/tmp/MERGED-1/${name}`,
        shown(live),
        shown(merged.object),
        time(now),
        time(now),
      );
      call.out(`diff -u -N /tmp/LIVE-1/${name} /tmp/MERGED-1/${name}\n${patch.replace(/^=+\n/, "")}`);
    }
  }
  if (errors.length > 0) throw new KubeError(errors.join("\n"));
  if (differs) throw new KubeError("");
}

/** `apps.v1.Deployment.default.echo`, as kubectl names its files. */
const nameOf = ({ apiVersion, kind, metadata: { namespace = "", name } }: KubeObject) =>
  [...apiVersion.split("/"), kind, namespace, name].join(".");

const time = (at: number) => new Date(at).toISOString().replace("T", " ").replace("Z", "000000 +0000");

/** Values of Secrets are not shown. */
const shown = (object: KubeObject | undefined) =>
  object === undefined
    ? ""
    : stringify(
        object.kind === "Secret"
          ? { ...object, data: Object.fromEntries(Object.keys((object.data ?? {}) as object).map((key) => [key, "***"])) }
          : object,
        { sortMapEntries: true, lineWidth: 0 },
      );
