// COSI's State: the resources of a node, and the definitions that tell a client their names and columns.
import { stringify } from "yaml";
import { NOT_AUTHORIZED } from "../../world/talos/maintenance.ts";
import { ADMIN } from "../../world/talos/roles.ts";
import { kindOf, KINDS } from "../../world/talos/resources.ts";
import type { World } from "../../world/world.ts";
import { encode } from "./descriptor.ts";
import { protoOf } from "./resource-proto.ts";
import type { Stream, Unary } from "./routing.ts";
import type { Status } from "../../world/talos/grpc-status.ts";
import { CREATED, type Kind, type Resource } from "../../world/talos/resource-kind.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

const DEFINITIONS = "ResourceDefinitions.meta.cosi.dev";
const WATCH_MS = 50;

function wireOf(namespace: string, type: string, owner: string, { id, spec }: Resource, proto: Buffer, annotations = {}): object {
  const created = { seconds: String(Date.parse(CREATED) / 1000), nanos: 0 };
  return {
    metadata: { namespace, type, id, version: "1", owner, phase: "running", created, updated: created, annotations },
    spec: { proto_spec: proto, yaml_spec: stringify(spec, { lineWidth: 0, indent: 4 }) },
  };
}

const resourceOf = (kind: Kind, resource: Resource) =>
  wireOf(kind.namespace, kind.type, `${kind.name}Controller`, resource, protoOf(kind.type, resource.spec), kind.annotations);

function definitionOf({ type, name, namespace, aliases, columns, sensitive }: Kind): object {
  const definition = {
    resource_type: type,
    display_type: name,
    default_namespace: namespace,
    aliases,
    all_aliases: aliases,
    print_columns: Object.entries(columns).map(([name, json_path]) => ({ name, json_path })),
    sensitivity: sensitive ? "SENSITIVE" : "NON_SENSITIVE",
  };
  const spec = { type, displayType: name, aliases, defaultNamespace: namespace };
  return wireOf("meta", DEFINITIONS, "", { id: type.toLowerCase(), spec }, encode("cosi.resource.meta.ResourceDefinitionSpec", definition));
}

/** What is sensitive is shown to an administrator alone. */
const hidden = (kind: Kind | undefined, roles: string[]): Status | undefined =>
  kind?.sensitive && !roles.includes(ADMIN) ? NOT_AUTHORIZED : undefined;

function allOf(world: World, machine: MachineState, type: string): object[] {
  if (type === DEFINITIONS) return KINDS.map(definitionOf);
  const kind = kindOf(type);
  return kind ? kind.list(world, machine).map((resource) => resourceOf(kind, resource)) : [];
}

const get: Unary = ({ world, machine, roles, request: { namespace, type, id } }) => {
  const kind = kindOf(type);
  const refused = hidden(kind, roles);
  if (refused) return refused;
  const found = (allOf(world, machine, type) as { metadata: { id: string } }[]).find(({ metadata }) => metadata.id === id);
  return found ? { resource: found } : { code: "NotFound", description: `resource ${type}(${namespace}/${id}@undefined) doesn't exist` };
};

const list: Stream = ({ world, machine, roles, request: { type } }, send) => {
  const refused = hidden(kindOf(type), roles);
  if (refused) return refused;
  for (const resource of allOf(world, machine, type)) send({ resource });
  return undefined;
};

/** Looks again and again, and tells what came, changed or went. */
const watch: Stream = ({ world, machine: { mac }, roles, request: { type, id, options } }, send, over) => {
  const machine = () => world.state.machines[mac]!;
  const refused = hidden(kindOf(type), roles);
  if (refused) return refused;
  const look = () =>
    new Map(
      (allOf(world, machine(), type) as { metadata: { id: string } }[])
        .filter(({ metadata }) => !id || metadata.id === id)
        .map((resource) => [resource.metadata.id, resource]),
    );
  const event = (event_type: string, more: object = {}) => send({ event: [{ event_type, ...more }] });
  send({ event: [] });
  let known = new Map<string, object>();
  const tell = () => {
    const now = look();
    for (const [id, resource] of now) {
      const old = known.get(id);
      if (!old) event("CREATED", { resource });
      else if (JSON.stringify(old) !== JSON.stringify(resource)) event("UPDATED", { resource, old });
    }
    for (const [id, resource] of known) if (!now.has(id)) event("DESTROYED", { resource });
    known = now;
  };
  if (id || options?.bootstrap_contents) tell();
  else known = look();
  if (options?.bootstrap_contents) event("BOOTSTRAPPED");
  return new Promise((resolve) => {
    const timer = setInterval(tell, WATCH_MS);
    const end = () => (clearInterval(timer), resolve(undefined));
    if (over.aborted) end();
    else over.addEventListener("abort", end, { once: true });
  });
};

export const RESOURCES: { unary: Record<string, Unary>; streams: Record<string, Stream> } = {
  unary: { Get: get },
  streams: { List: list, Watch: watch },
};
