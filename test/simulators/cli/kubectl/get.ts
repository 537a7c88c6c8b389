// The reading commands of kubectl: get and wait.
import { type Kind, kindNamed, kindWord, printedKind, resourceOf } from "../../world/cluster/kinds.ts";
import { manifests } from "../../world/kustomize/kustomize.ts";
import { noMatch, notFound } from "../../world/cluster/store.ts";
import { Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import { type KubeCall, KubeError, milliseconds, moment, reachApi, reading, textOf } from "./client.ts";
import { tableOf } from "./table.ts";
import type { Entry, KubeObject } from "../../world/cluster/state.ts";

export async function getCommand(kube: KubeCall): Promise<void> {
  const { call, words } = kube;
  const raw = words.text("raw");
  await reachApi(kube);
  if (raw !== undefined) {
    if (!["/readyz", "/livez", "/healthz"].includes(raw)) throw new Untaught(`--raw ${raw}`);
    return call.out("ok");
  }
  const { found, errors, single } = await find(kube);
  const ignored = words.on("ignore-not-found");
  const bad = errors.filter((error) => !(ignored && error.includes("(NotFound)")));
  print(
    kube,
    found.map(({ object }) => object),
    single,
  );
  if (bad.length > 0) throw new KubeError(bad.join("\n"));
}

interface Found {
  found: Entry[];
  errors: string[];
  /** A single object was requested by name: it is printed without a list around it. */
  single: boolean;
}

/** The objects that the arguments name: `kinds`, `kind name…`, `kind/name…`, or those of manifests. */
export async function find({ world, call, words, rest }: KubeCall): Promise<Found> {
  const store = reading(world);
  const namespace = words.text("namespace");
  const one = (kind: Kind, name: string, where = namespace): Entry | string => store.get(kind, where, name) ?? notFound(kind, name);
  const sorted = (all: (Entry | string)[], single: boolean): Found => ({
    found: all.filter((entry): entry is Entry => typeof entry !== "string"),
    errors: all.filter((entry): entry is string => typeof entry === "string"),
    single,
  });
  const file = words.text("filename");
  if (file !== undefined) {
    const objects = manifests(await textOf(call, file));
    const all = objects.map((object) => {
      const kind = kindNamed(world.state.cluster, object.apiVersion, object.kind);
      return kind
        ? one(kind, object.metadata.name, object.metadata.namespace ?? namespace)
        : `error: ${noMatch(object, file === "-" ? "STDIN" : file)}`;
    });
    return sorted(all, objects.length === 1);
  }
  if (rest.length === 0)
    throw new KubeError(
      'error: You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.',
    );
  if (rest[0]!.includes("/")) {
    const all = rest.map((word) => {
      const [kind = "", name = ""] = word.split("/");
      return one(known(world, kind), name);
    });
    return sorted(all, rest.length === 1);
  }
  const kinds = rest[0]!.split(",").map((word) => known(world, word));
  const names = rest.slice(1);
  if (names.length > 0)
    return sorted(
      kinds.flatMap((kind) => names.map((name) => one(kind, name))),
      kinds.length === 1 && names.length === 1,
    );
  const selected = selector(words.text("selector"));
  const where = words.on("all-namespaces") ? undefined : (namespace ?? "default");
  return sorted(
    kinds.flatMap((kind) => store.list(kind, where)).filter(({ object }) => selected(object)),
    false,
  );
}

export function known(world: World, word: string): Kind {
  const kind = kindWord(world.state.cluster, word);
  if (!kind) throw new KubeError(`error: the server doesn't have a resource type ${JSON.stringify(word.split(".")[0])}`);
  return kind;
}

function selector(text: string | undefined): (object: KubeObject) => boolean {
  if (text === undefined) return () => true;
  const terms = text.split(",").map(
    (term) =>
      /^([\w./-]+)(?:==?([\w.-]*))?$/.exec(term) ??
      ((): never => {
        throw new Untaught(`the selector ${text}`);
      })(),
  );
  return ({ metadata: { labels = {} } }) =>
    terms.every(([, key = "", value]) => (value === undefined ? key in labels : labels[key] === value));
}

export const printedName = (world: World, { apiVersion, kind, metadata }: KubeObject) =>
  `${printedKind(kindNamed(world.state.cluster, apiVersion, kind)!)}/${metadata.name}`;

function print({ world, call, words }: KubeCall, objects: KubeObject[], single: boolean): void {
  const output = words.text("output") ?? "";
  if (output === "name") return objects.forEach((object) => call.out(`${printedName(world, object)}\n`));
  if (single && objects.length === 0) return;
  const all: any = single ? objects[0] : { apiVersion: "v1", items: objects, kind: "List", metadata: { resourceVersion: "" } };
  if (output === "json") return call.out(`${JSON.stringify(all, null, 4)}\n`);
  const path = /^jsonpath=(.*)$/s.exec(output)?.[1];
  if (path !== undefined) return call.out(path.replaceAll(/\{([^}]*)\}/g, (_, expression: string) => jsonpath(all, expression)));
  if (output !== "" && output !== "wide") throw new Untaught(`--output ${output}`);
  if (objects.length === 0)
    return words.on("ignore-not-found")
      ? undefined
      : call.err(
          words.on("all-namespaces")
            ? "No resources found\n"
            : `No resources found in ${words.text("namespace") ?? "default"} namespace.\n`,
        );
  call.out(tableOf(objects, world.now(), { everywhere: words.on("all-namespaces"), wide: output === "wide" }));
}

/** Fields, indexes and [*]; nothing that filters. */
function jsonpath(object: unknown, expression: string): string {
  const quoted = /^"(.*)"$/s.exec(expression)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
  if (/[?()@,]|range|end/.test(expression.replaceAll(/\\\./g, ""))) throw new Untaught(`jsonpath {${expression}}`);
  const parts = [...expression.matchAll(/((?:\\\.|[^.[\]])+)|\[(\*|\d+)\]/g)].map(([, field, index]) =>
    (field ?? index!).replaceAll("\\.", "."),
  );
  const found = parts.reduce<any[]>(
    (all, part) => all.flatMap((at) => (part === "*" ? Object.values(at ?? {}) : at?.[part] === undefined ? [] : [at[part]])),
    [object],
  );
  return found.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" ");
}

export async function waitCommand(kube: KubeCall): Promise<void> {
  const { world, call, words } = kube;
  const what = words.text("for") ?? "";
  const condition = /^condition=([A-Za-z]+)(?:=(\w+))?$/.exec(what);
  const field = /^jsonpath=\{\.(.+)\}=(.+)$/.exec(what);
  if (!condition && !field && what !== "delete" && what !== "create") throw new Untaught(`--for ${what}`);
  const until = Date.now() + milliseconds(words.text("timeout") ?? "30s");
  const met = (object: KubeObject) => {
    if (field) return jsonpath(object, field[1]!) === field[2];
    const is = object.status?.conditions?.find(({ type }: any) => type.toLowerCase() === condition![1]!.toLowerCase());
    return (
      is?.status?.toLowerCase() === (condition![2] ?? "true").toLowerCase() &&
      (is.observedGeneration === undefined || is.observedGeneration >= object.metadata.generation!)
    );
  };
  await reachApi(kube);
  for (;;) {
    const { found, errors } = await find(kube);
    if (what === "delete" && found.length === 0) return;
    if (what === "create" && errors.length === 0 && found.length > 0)
      return found.forEach(({ object }) => call.out(`${printedName(world, object)} condition met\n`));
    if (condition || field) {
      if (errors.length > 0) throw new KubeError(errors.join("\n"));
      if (found.length === 0) throw new KubeError("error: no matching resources found");
      if (found.every(({ object }) => met(object)))
        return found.forEach(({ object }) => call.out(`${printedName(world, object)} condition met\n`));
    }
    if (Date.now() >= until) {
      const left = condition || field ? found.filter(({ object }) => !met(object)) : found;
      const named = left.map(
        ({ object }) =>
          `error: timed out waiting for the condition on ${resourceOf(kindNamed(world.state.cluster, object.apiVersion, object.kind)!).split(".")[0]}/${object.metadata.name}`,
      );
      throw new KubeError(named.length > 0 ? named.join("\n") : "error: timed out waiting for the condition");
    }
    await moment();
  }
}
