// The account that `op` uses: a person, a service account or a Connect server, and the limits of each.
import { UsageError } from "../run/errors.ts";

export interface Mode {
  how: "signed-in" | "service-account" | "connect";
  /** Words for a sentence: "signed in". */
  says: string;
  /** The limits of this mode, as phrases. */
  cannot: string[];
  /** Whether `op item list` and `op item create` work at all. */
  keepsItems: boolean;
}

/** Connect overrides a service account, as in `op` itself. Only one of the two variables of Connect is a UsageError. */
export function modeOf(env: NodeJS.ProcessEnv): Mode {
  const { OP_CONNECT_HOST: host, OP_CONNECT_TOKEN: token } = env;
  if (Boolean(host) !== Boolean(token))
    throw new UsageError(
      `${host ? "OP_CONNECT_HOST" : "OP_CONNECT_TOKEN"} is set without ${host ? "OP_CONNECT_TOKEN" : "OP_CONNECT_HOST"}: set both or neither`,
    );
  if (host) {
    return {
      how: "connect",
      says: `the Connect server at ${host}`,
      cannot: ["list or make items: secrets:init and UPLOAD=1 need a person or a service account"],
      keepsItems: false,
    };
  }
  if (env.OP_SERVICE_ACCOUNT_TOKEN) {
    return {
      how: "service-account",
      says: "a service account",
      cannot: [
        "reach a Personal, Private, Employee or default Shared vault",
        "make items unless its token was given write_items",
        "read more than 1,000 times or write more than 100 times an hour (family and team plans)",
      ],
      keepsItems: true,
    };
  }
  return {
    how: "signed-in",
    says: "signed in",
    cannot: ["run unattended: the session ends after 30 minutes, or the app asks"],
    keepsItems: true,
  };
}
