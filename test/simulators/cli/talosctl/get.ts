// talosctl get: resources of nodes as JSON, YAML, a table or what a JSONPath picks.
import { parse, stringify } from "yaml";
import { Untaught } from "../../world/tool.ts";
import { columns } from "../table.ts";
import { listErrors, reach, type TalosCall, TalosError, warnOlder } from "./client.ts";
import { kindOf } from "../../world/talos/resources.ts";
import { CREATED, type Kind, type Resource } from "../../world/talos/resource-kind.ts";

interface Shown {
  node: string;
  kind: Kind;
  resource: Resource;
}

export async function getCommand(talos: TalosCall): Promise<void> {
  const { world, call, words, rest } = talos;
  const [type = "", id, ...more] = rest;
  if (type === "" || more.length > 0) throw new Untaught();
  const targets = await reach(talos);
  const [first] = targets;
  if (first && "error" in first) throw new TalosError(first.error); // the kinds are asked of the first node
  if (!words.on("insecure")) warnOlder(talos, targets);
  const kind = kindOf(type);
  if (!kind) throw new Untaught(`resource ${type}`);
  const shown: Shown[] = [];
  const errors: string[] = [];
  for (const target of targets) {
    if ("error" in target) errors.push(target.error);
    else if (kind.sensitive && words.on("insecure")) errors.push("rpc error: code = PermissionDenied desc = not authorized");
    else {
      const node = words.on("insecure") ? "" : target.node; // in maintenance mode the reply has no node name
      const all = kind.list(world, target.machine);
      const found = id === undefined ? all : all.filter((resource) => resource.id === id);
      if (id !== undefined && found.length === 0)
        errors.push(`rpc error: code = NotFound desc = resource ${kind.type}(${kind.namespace}/${id}@undefined) doesn't exist`);
      shown.push(...found.map((resource) => ({ node, kind, resource })));
    }
  }
  print(words.text("output") ?? "table", shown, kind, call.out);
  if (errors.length > 0) throw new TalosError(listErrors(errors));
}

/** The metadata is written as plain YAML and read again: what looks like a number is one. */
const bare = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

const mapValues = <T, U>(values: Record<string, T>, change: (value: T) => U) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));

/** As COSI writes one: metadata, then spec. */
const yamlOf = ({ kind, resource }: Shown) => ({
  metadata: {
    namespace: kind.namespace,
    type: kind.type,
    id: bare(resource.id),
    version: 1,
    owner: `${kind.name}Controller`,
    phase: "running",
    created: CREATED,
    updated: CREATED,
    ...(kind.annotations && { annotations: mapValues(kind.annotations, bare) }),
  },
  spec: resource.spec,
});

function print(output: string, shown: Shown[], kind: Kind, out: (text: string) => void): void {
  if (output === "json") for (const one of shown) out(`${goJson({ ...yamlOf(one), node: one.node })}\n`);
  else if (output === "yaml")
    out(shown.map((one) => `node: ${one.node}\n${stringify(yamlOf(one), { indent: 4, lineWidth: 0 })}`).join("---\n"));
  else if (output === "table") {
    const head = ["NODE", "NAMESPACE", "TYPE", "ID", "VERSION", ...Object.keys(kind.columns)];
    out(
      columns([
        head,
        ...shown.map(({ node, resource }) => [
          node,
          kind.namespace,
          kind.name,
          resource.id,
          "1",
          ...Object.values(kind.columns).map((path) => cellOf(path, resource.spec)),
        ]),
      ]),
    );
  } else if (output.startsWith("jsonpath="))
    for (const one of shown) out(pick(output.slice("jsonpath=".length), { ...yamlOf(one), node: one.node }));
  else throw new TalosError(`output format ${JSON.stringify(output)} is not supported`);
}

/** Only paths of names were taught: `{.spec}`, `{.spec.status.ready}`, and `{@}`. */
function found(path: string, value: unknown): unknown {
  if (path === "{@}") return value;
  if (!/^\{(\.[A-Za-z_]+)+\}$/.test(path)) throw new Untaught(`jsonpath ${path}`);
  return path
    .slice(2, -1)
    .split(".")
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], parse(stringify(value)));
}

function pick(path: string, value: unknown): string {
  const got = found(path, value);
  if (got === undefined) return "";
  return typeof got === "object" ? `${goJson(got)}\n` : `${String(got)}\n`;
}

function cellOf(path: string, spec: unknown): string {
  const got = found(path, spec) ?? "";
  return typeof got === "object" ? JSON.stringify(got) : String(got);
}

/** Go spells out what could be taken for a tag. */
const goJson = (value: unknown) =>
  JSON.stringify(sorted(value), null, 4).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);

/** Go writes the keys of a map in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
