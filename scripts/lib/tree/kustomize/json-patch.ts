// JSON patches (RFC 6902), as kustomize applies them to one object: an operation that does not fit is an error, never skipped.
import { isDeepStrictEqual } from "node:util";
import { copy, isHolder } from "./fields.ts";

export interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/** Whether a parsed document is a list of operations. */
export const isJsonPatch = (value: unknown): value is Operation[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => isHolder(one) && "op" in one && typeof one.op === "string");

/** Applies the operations to a copy. Throws with the operation that does not fit. */
export function applyJsonPatch<T>(object: T, operations: readonly Operation[]): T {
  const root = { "": copy(object) as unknown };
  for (const operation of operations) apply(root, operation);
  return root[""] as T;
}

const stepsOf = (path: string) => path.split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
const show = ({ op, path }: Operation) => `${op} ${path}`;

/** The holder of a path's last step, from the root. */
function holderOf(root: object, path: string, operation: Operation): { holder: Record<string, unknown> | unknown[]; key: string } {
  const steps = stepsOf(path);
  let holder: unknown = root;
  for (const step of steps.slice(0, -1)) {
    holder = isHolder(holder) ? (holder as Record<string, unknown>)[step] : undefined;
    if (!isHolder(holder)) throw new Error(`"${show(operation)}": there is no ${step || "object"} on the way`);
  }
  return { holder: holder as Record<string, unknown> | unknown[], key: steps.at(-1)! };
}

function apply(root: object, operation: Operation): void {
  const { op, path, value } = operation;
  if (op === "add") return add(root, path, copy(value), operation);
  if (op === "replace") return put(root, path, copy(value), operation);
  if (op === "remove") return void take(root, path, operation);
  if (op === "test") {
    if (!isDeepStrictEqual(peek(root, path, operation) ?? null, value ?? null))
      throw new Error(`"${show(operation)}": another value stands there`);
    return;
  }
  if (op === "move") return add(root, path, take(root, operation.from ?? "", operation), operation);
  if (op === "copy") return add(root, path, copy(peek(root, operation.from ?? "", operation)), operation);
  throw new Error(`"${show(operation)}": there is no such operation`);
}

function add(root: object, path: string, value: unknown, operation: Operation): void {
  const { holder, key } = holderOf(root, path, operation);
  if (!Array.isArray(holder)) return void (holder[key] = value);
  const index = key === "-" ? holder.length : indexIn(holder, key, operation, holder.length);
  holder.splice(index, 0, value);
}

function put(root: object, path: string, value: unknown, operation: Operation): void {
  const { holder, key } = holderOf(root, path, operation);
  if (Array.isArray(holder)) holder[indexIn(holder, key, operation)] = value;
  else holder[key] = value; // where there is nothing yet, too: evanphx/json-patch does not look
}

function take(root: object, path: string, operation: Operation): unknown {
  const { holder, key } = holderOf(root, path, operation);
  if (Array.isArray(holder)) return holder.splice(indexIn(holder, key, operation), 1)[0];
  if (!(key in holder)) throw new Error(`"${show(operation)}": there is nothing to remove`);
  const value = holder[key];
  delete holder[key];
  return value;
}

function peek(root: object, path: string, operation: Operation): unknown {
  const { holder, key } = holderOf(root, path, operation);
  return Array.isArray(holder) ? holder[indexIn(holder, key, operation)] : holder[key];
}

function indexIn(list: unknown[], key: string, operation: Operation, max = list.length - 1): number {
  const index = /^-\d+$/.test(key) ? list.length + Number(key) : Number(key);
  if (!Number.isInteger(index) || index < 0 || index > max) throw new Error(`"${show(operation)}": the list has no ${key}`);
  return index;
}
