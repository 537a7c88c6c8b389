// A refusal of the world as a gRPC status.
import { status as codes } from "@grpc/grpc-js";
import type { Status } from "../../world/talos/grpc-status.ts";

/** `FailedPrecondition` as the number that goes over the wire. */
export const codeOf = ({ code }: Status): number => codes[code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() as keyof typeof codes];

/** What grpc-js takes as the error of a call. */
export const errorOf = (refused: Status) => ({ code: codeOf(refused), details: refused.description });

/** Whether a reply is a refusal. */
export const isRefused = (reply: unknown): reply is Status =>
  typeof reply === "object" && reply !== null && "code" in reply && "description" in reply;
