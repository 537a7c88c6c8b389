// gRPC statuses, with which a Talos node refuses a call.

export type Status = {
  code:
    | "AlreadyExists"
    | "DeadlineExceeded"
    | "FailedPrecondition"
    | "Internal"
    | "InvalidArgument"
    | "NotFound"
    | "PermissionDenied"
    | "Unavailable"
    | "Unimplemented"
    | "Unknown";
  description: string;
};

/** How gRPC words a refusal. */
export const wordsOf = ({ code, description }: Status) => `rpc error: code = ${code} desc = ${description}`;

/** What a client finds when the connection goes away under its call: the node may have done it all the same. */
export const DROPPED: Status = { code: "Unavailable", description: "error reading from server: EOF" };
