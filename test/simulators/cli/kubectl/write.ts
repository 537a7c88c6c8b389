// The writing commands of kubectl: apply, delete, patch, annotate, label. Each is one change of the world.
import { join, resolve } from "node:path";
import { leave } from "../../world/cluster/cluster.ts";
import { kindNamed, printedKind } from "../../world/cluster/kinds.ts";
import { build, manifests } from "../../world/kustomize/kustomize.ts";
import { noMatch } from "../../world/cluster/store.ts";
import { Untaught } from "../../world/tool.ts";
import { find, printedName } from "./get.ts";
import { type KubeCall, KubeError, milliseconds, moment, reachApi, reading, textOf, writing } from "./client.ts";
import type { Entry, KubeObject } from "../../world/cluster/state.ts";

export async function applyCommand(kube: KubeCall): Promise<void> {
  const { world, call, words } = kube;
  if (!words.on("server-side")) throw new Untaught("apply without --server-side");
  if (words.text("dry-run") !== undefined || words.text("output") !== undefined) throw new Untaught("apply with --dry-run or --output");
  const { from, objects } = await wanted(kube);
  await reachApi(kube);
  if (objects.length === 0) throw new KubeError("error: no objects passed to apply");
  const namespace = words.text("namespace");
  const errors: string[] = [];
  // like kubectl's builder, look up kinds before anything is written, and report unknown ones at the end
  const known = objects.filter((object) => {
    const served = kindNamed(world.state.cluster, object.apiVersion, object.kind) !== undefined;
    if (!served) errors.push(`error: ${noMatch(object, from)}`);
    return served;
  });
  // half of the objects are written if the API server goes away in the middle
  const leaves = known.length > 1 && world.strikes("api-server-leaves-during-apply");
  const reached = leaves ? known.slice(0, known.length / 2) : known;
  if (reached.length > 0) {
    const done = writing(world, `kubectl apply ${reached.length} objects`, (store) =>
      reached.map((object) => {
        const placed =
          namespace === undefined || object.metadata.namespace !== undefined
            ? object
            : { ...object, metadata: { ...object.metadata, namespace } };
        return store.apply(placed);
      }),
    );
    for (const written of done) {
      if ("error" in written) errors.push(written.error);
      else call.out(`${printedName(world, written.object)} serverside-applied\n`);
    }
  }
  if (leaves) {
    leave(world);
    const said = await reachApi(kube).catch((error: KubeError) => error.message);
    for (let left = known.length - reached.length; left > 0; left -= 1) errors.push(String(said));
  }
  if (errors.length > 0) throw new KubeError(errors.join("\n"));
}

async function wanted({ world, call, words }: KubeCall): Promise<{ from: string; objects: KubeObject[] }> {
  const folder = words.text("kustomize");
  const file = words.text("filename");
  if (folder !== undefined) {
    try {
      return { from: folder, objects: build(resolve(call.cwd, folder)) };
    } catch (error) {
      if (error instanceof Untaught) throw error;
      throw new KubeError(`error: ${(error as Error).message}`);
    }
  }
  if (file === undefined) throw new KubeError("error: must specify one of -f and -k");
  const from = file === "-" ? "STDIN" : join(file);
  try {
    const text = await textOf(call, file);
    if (world.has("kubectl-echoes-input") && /kind: Secret/.test(text)) throw new KubeError(echoOf(text));
    const objects = manifests(text);
    const nameless = objects.find(({ metadata }) => !metadata?.name);
    if (nameless)
      throw new KubeError(
        `error: error validating ${JSON.stringify(from)}: error validating data: [metadata.name: Required value: name is required]`,
      );
    return { from, objects };
  } catch (error) {
    if (error instanceof KubeError) throw error;
    throw new KubeError(`error: error parsing ${from}: ${(error as Error).message}`);
  }
}

/** The forms in which tools repeat their input in an error: plain, quoted by Go's %q, in base64 wrapped at 64 and 76 columns, in base64 twice, and in a URL. */
function echoOf(text: string): string {
  const base64 = Buffer.from(text).toString("base64");
  const wrapped = (width: number) => base64.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
  const forms = [
    text,
    JSON.stringify(text),
    wrapped(64),
    wrapped(76),
    Buffer.from(` ${base64}`).toString("base64"),
    encodeURIComponent(text),
  ];
  return `error: error parsing STDIN: cannot use this input:\n${forms.join("\n")}`;
}

export async function deleteCommand(kube: KubeCall): Promise<void> {
  await reachApi(kube);
  const { world, call, words } = kube;
  if (kube.rest.length === 1 && !kube.rest[0]!.includes("/") && !words.on("all"))
    throw new KubeError("error: resource(s) were provided, but no name was specified");
  const { found, errors } = await find(kube);
  const bad = errors.filter((error) => !(words.on("ignore-not-found") && error.includes("(NotFound)")));
  if (found.length > 0) {
    const named = found.map(({ object }) => ({ object, kind: kindNamed(world.state.cluster, object.apiVersion, object.kind)! }));
    writing(world, `kubectl delete ${named.map(({ object }) => object.metadata.name).join(" ")}`, (store) => {
      for (const { object, kind } of named) store.delete(kind, object.metadata.namespace, object.metadata.name);
    });
    for (const {
      object: { metadata },
      kind,
    } of named)
      call.out(
        `${printedKind(kind)} ${JSON.stringify(metadata.name)} deleted${metadata.namespace ? ` from ${metadata.namespace} namespace` : ""}\n`,
      );
  }
  if (words.text("wait") !== "false") await untilGone(kube, found);
  if (bad.length > 0) throw new KubeError(bad.join("\n"));
}

/** kubectl waits until each object is gone, or another one has its name. */
async function untilGone({ world, words }: KubeCall, found: Entry[]): Promise<void> {
  const until = Date.now() + milliseconds(words.text("timeout") ?? "10m");
  const left = () =>
    found.find(({ object: { apiVersion, kind, metadata } }) => {
      const served = kindNamed(world.state.cluster, apiVersion, kind);
      return served && reading(world).get(served, metadata.namespace, metadata.name)?.object.metadata.uid === metadata.uid;
    });
  for (let one = left(); one; one = left()) {
    const { apiVersion, kind, metadata } = one.object;
    const served = kindNamed(world.state.cluster, apiVersion, kind)!;
    if (Date.now() > until) throw new KubeError(`error: timed out waiting for the condition on ${served.plural}/${metadata.name}`);
    await moment();
  }
}

export async function patchCommand(kube: KubeCall): Promise<void> {
  const { call, words } = kube;
  if (words.text("type") !== "merge") throw new Untaught(`patch --type ${words.text("type") ?? "strategic"}`);
  const file = words.text("patch-file");
  const [patch] = manifests(file === undefined ? (words.text("patch") ?? "") : await textOf(call, file));
  if (!patch) throw new KubeError("error: must specify --patch or --patch-file containing the contents of the patch");
  await change(kube, patch, "patched");
}

/** The kinds of apps/v1 that have replicas. */
export async function scaleCommand(kube: KubeCall): Promise<void> {
  const replicas = Number(kube.words.text("replicas"));
  if (!Number.isInteger(replicas) || replicas < 0) throw new Untaught(`scale --replicas ${kube.words.text("replicas")}`);
  const [kind = ""] = kube.rest;
  if (!/^(deployments?|statefulsets?|replicasets?)(\/|$)/.test(kind)) throw new Untaught(`scale ${kind}`);
  await change(kube, { spec: { replicas } }, "scaled");
}

/** `key=value` sets a key, `key-` removes it. */
export async function setWords(kube: KubeCall, where: "labels" | "annotations", done: string): Promise<void> {
  const isPair = (word: string) => /^[^=]+(=|-$)/.test(word) && (word.includes("=") || word.endsWith("-"));
  const pairs = kube.rest.filter(isPair);
  const rest = kube.rest.filter((word) => !isPair(word));
  if (pairs.length === 0) throw new KubeError(`error: at least one ${where === "labels" ? "label" : "annotation"} update is required`);
  const values = Object.fromEntries(
    pairs.map((pair) =>
      pair.includes("=") ? [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] : [pair.slice(0, -1), null],
    ),
  );
  if (!kube.words.on("overwrite")) {
    const { found } = await find({ ...kube, rest });
    for (const { object } of found) {
      for (const [key, value] of Object.entries(values)) {
        const had = object.metadata[where]?.[key];
        if (value !== null && had !== undefined && had !== value)
          throw new KubeError(
            where === "labels"
              ? `error: '${key}' already has a value (${had}), and --overwrite is false`
              : `error: --overwrite is false but found the following declared annotation(s): '${key}' already has a value (${had})`,
          );
      }
    }
  }
  await change({ ...kube, rest }, { metadata: { [where]: values } }, done);
}

async function change(kube: KubeCall, patch: object, done: string): Promise<void> {
  await reachApi(kube);
  const { world, call } = kube;
  const { found, errors } = await find(kube);
  for (const { object } of found) {
    const kind = kindNamed(world.state.cluster, object.apiVersion, object.kind)!;
    const written = writing(world, `kubectl ${done} ${object.metadata.name}`, (store) =>
      store.patch(kind, object.metadata.namespace, object.metadata.name, patch),
    );
    if ("error" in written) throw new KubeError(written.error);
    call.out(`${printedName(world, object)} ${done}${done === "patched" && written.done === "unchanged" ? " (no change)" : ""}\n`);
  }
  if (errors.length > 0) throw new KubeError(errors.join("\n"));
}

/** `cordon` and `uncordon`: stops and allows scheduling on a node. */
export async function cordonCommand(kube: KubeCall, unschedulable: boolean): Promise<void> {
  await reachApi(kube);
  const { world, call, rest } = kube;
  const word = unschedulable ? "cordoned" : "uncordoned";
  const { found, errors } = await find({ ...kube, rest: ["nodes", ...rest] });
  for (const { object } of found) {
    const { name } = object.metadata;
    if ((object.spec.unschedulable === true) === unschedulable) {
      call.out(`node/${name} already ${word}\n`);
      continue;
    }
    const kind = kindNamed(world.state.cluster, "v1", "Node")!;
    writing(world, `kubectl ${word} ${name}`, (store) =>
      store.patch(kind, undefined, name, { spec: { unschedulable: unschedulable ? true : null } }),
    );
    call.out(`node/${name} ${word}\n`);
  }
  if (errors.length > 0) throw new KubeError(errors.join("\n"));
}
