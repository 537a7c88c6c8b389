// JSON-RPC 2.0 as TrueNAS speaks it: what a message may be, and what its answers and refusals look like.
import { errname, type Refusal } from "../../world/nas/refusals.ts";

export interface Request {
  /** Absent: a notification, which is never answered. */
  id?: number | string | boolean | null;
  method: string;
  params: unknown[];
}

interface RpcError {
  code: number;
  message: string;
  data?: object;
}

/** Reads a message: a request, or the reply that refuses it (undefined when that is silence). */
export function readMessage(text: string): { request: Request } | { refused: object | undefined } {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { refused: errorReply(null, { code: -32700, message: "Expecting value: line 1 column 1 (char 0)" }) };
  }
  if (Array.isArray(message))
    return { refused: errorReply(null, { code: -32700, message: "Batch messages are not supported at this time" }) };
  if (typeof message !== "object" || message === null)
    return { refused: errorReply(null, { code: -32700, message: "Invalid Message Format" }) };
  const { jsonrpc, id, method, params = [] } = message as Record<string, unknown>;
  const fault = faultOf(message, jsonrpc, id, method, params);
  if (fault !== undefined) {
    const named = isId(id) ? id : null;
    return { refused: "id" in message ? errorReply(named, { code: -32600, message: fault }) : undefined };
  }
  const request = { method: method as string, params: params as unknown[] };
  return { request: "id" in message ? { ...request, id: id as number } : request };
}

const isId = (id: unknown): id is number | string | boolean | null =>
  id === null || typeof id === "string" || typeof id === "boolean" || Number.isInteger(id);

function faultOf(message: object, jsonrpc: unknown, id: unknown, method: unknown, params: unknown): string | undefined {
  if (!("jsonrpc" in message)) return "Missing 'jsonrpc' member";
  if (jsonrpc !== "2.0") return "'jsonrpc' member must be of type string and must be exactly '2.0'";
  if ("id" in message && !isId(id)) return "'id' member must be of type null, string or number";
  if (!("method" in message)) return "Missing 'method' member";
  if (typeof method !== "string" || method === "") return "'method' member must be of type string";
  if (!Array.isArray(params)) return "'params' member must be of type array";
  return undefined;
}

export const reply = (id: Request["id"], result: unknown) => ({ jsonrpc: "2.0", result, id });
export const errorReply = (id: Request["id"], error: RpcError) => ({ jsonrpc: "2.0", error, id });

export const TOO_MANY: RpcError = { code: -32000, message: "Maximum number of concurrent calls (20) has exceeded" };
export const NO_METHOD: RpcError = { code: -32601, message: "Method does not exist" };

/** A refusal as an error object. 25.x shows the stack's local variables, and so the parameters: who logs that, logs secrets. */
export function rpcError(refusal: Refusal, { frames, params }: { frames: boolean; params: unknown[] }): RpcError {
  const { code, errno, reason, extra, type } = refusal;
  const formatted = `Traceback (most recent call last):\nmiddlewared.service_exception.${type}: ${reason}\n`;
  const frame = {
    filename: "/usr/lib/python3/dist-packages/middlewared/api/base/server/ws_handler/rpc.py",
    lineno: 323,
    method: "process_method_call",
    line: "                result = await method.call(app, params)\n",
    argspec: ["self", "app", "id_", "method", "params"],
    locals: { params: JSON.stringify(params) },
  };
  return {
    code,
    message: code === -32602 ? "Invalid params" : "Method call error",
    data: {
      error: errno,
      errname: errname(errno),
      reason,
      trace: { class: type, ...(frames && { frames: [frame] }), formatted, repr: `${type}(${JSON.stringify(reason)})` },
      extra,
    },
  };
}

/** An event of a collection. */
export const notification = (event: CollectionEvent) => ({ jsonrpc: "2.0", method: "collection_update", params: event });

export interface CollectionEvent {
  msg: "added" | "changed" | "removed";
  collection: string;
  id: number;
  fields?: object;
  extra?: object;
}
