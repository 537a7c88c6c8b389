// The Talos API as gRPC and protobuf need it, read from our own table of methods, messages and enums (wire.txt).
import { readFileSync } from "node:fs";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import protobuf from "protobufjs";

interface Node {
  nested?: Record<string, Node>;
  fields?: Record<string, { id: number; type: string; rule?: "repeated"; keyType?: string }>;
  oneofs?: Record<string, { oneof: string[] }>;
  values?: Record<string, number>;
}

const TABLE = readFileSync(new URL("wire.txt", import.meta.url), "utf8");

/** The lines below a heading of the table. */
const section = (name: string) =>
  (TABLE.split("## ").find((part) => part.startsWith(`${name}\n`)) ?? "")
    .split("\n")
    .slice(1)
    .filter((line) => line.trim());

function makeRoot(): protobuf.Root {
  const tree: Node = {};
  const at = (name: string) => name.split(".").reduce((node, part) => ((node.nested ??= {})[part] ??= {}), tree);
  for (const line of section("messages")) {
    const [, name = "", body = ""] = /^(\S+) \{(.*)\}$/.exec(line) ?? [];
    if (!name) throw new Error(`no message: ${line}`);
    Object.assign(at(name), message(body.trim()));
  }
  for (const line of section("enums")) {
    const [name = "", values = ""] = line.split(" = ");
    at(name).values = Object.fromEntries(values.split(" ").map((value) => [value.split(":")[1]!, Number(value.split(":")[0])]));
  }
  const root = new protobuf.Root();
  for (const file of ["empty", "duration", "timestamp", "any"]) root.addJSON(protobuf.common.get(`google/protobuf/${file}.proto`)!.nested!);
  root.addJSON(tree.nested as Record<string, protobuf.AnyNestedObject>);
  root.resolveAll();
  return root;
}

function message(body: string): Node {
  const fields: Node["fields"] = {};
  const choice: string[] = [];
  // a comma inside map<…> parts no fields
  for (const field of body ? body.split(/, (?=\d)/) : []) {
    const [, id = "", name = "", type = "", alternative] = /^(\d+):(\S+) (\S+)( \(oneof\))?$/.exec(field) ?? [];
    if (!id) throw new Error(`no field: ${field}`);
    const map = /^map<(\w+),(\w+)>$/.exec(type);
    fields[name] = map
      ? { id: Number(id), keyType: map[1]!, type: map[2]! }
      : { id: Number(id), type: type.replace("[]", ""), ...(type.startsWith("[]") && { rule: "repeated" as const }) };
    if (alternative) choice.push(name);
  }
  return { fields, ...(choice.length > 0 && { oneofs: { choice: { oneof: choice } } }) };
}

const root = makeRoot();

/** A message as bytes; refuses a field of the wrong kind. */
export function encode(name: string, value: object): Buffer {
  const type = root.lookupType(name);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

/** A message from bytes: every field there, 64-bit numbers as text, enums by name. */
export function decode(name: string, bytes: Uint8Array): any {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String, enums: String, defaults: true });
}

/** A message in an Any, as Talos packs its events. */
export const pack = (name: string, value: object) => ({ type_url: `talos/runtime/${name}`, value: encode(name, value) });

/** Every service of the table with its methods, by full name. */
export const SERVICES: Record<string, ServiceDefinition> = {};
for (const line of section("methods")) {
  const [, service = "", method = "", up, request = "", down, response = ""] =
    /^\/([\w.]+)\/(\w+)\s+(stream )?(\S+) -> (stream )?(\S+)$/.exec(line) ?? [];
  if (!service) throw new Error(`no method: ${line}`);
  ((SERVICES[service] ??= {}) as Record<string, MethodDefinition<any, any>>)[method] = {
    path: `/${service}/${method}`,
    requestStream: Boolean(up),
    responseStream: Boolean(down),
    requestSerialize: (value: object) => encode(request, value),
    requestDeserialize: (bytes: Buffer) => decode(request, bytes),
    responseSerialize: (value: object) => encode(response, value),
    responseDeserialize: (bytes: Buffer) => decode(response, bytes),
  };
}
