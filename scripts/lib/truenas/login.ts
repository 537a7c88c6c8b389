// Logs in with an API key and its user name, and explains a refusal.
import { Failure } from "../run/errors.ts";
import type { Connection } from "./connection.ts";
import { NasRefused } from "./refusal.ts";

export interface Credentials {
  username: string;
  key: string;
  /** The vault item that holds them, for messages: "op://Infrastructure/talosdeploy". */
  item: string;
}

interface Reply {
  response_type: string;
  username?: string;
  urls?: string[];
  user_info?: { privilege?: { roles?: string[] | { $set: string[] } } } | null;
}

/** The roles of the account, by TrueNAS' names (FULL_ADMIN, VM_WRITE …); undefined if TrueNAS does not report them. */
export type Roles = ReadonlySet<string> | undefined;

const LOGIN_SECONDS = 30; // TrueNAS delays a refusal by 1 to 2 s, a rate-limited one by up to 10 s

/** Logs in once. A refused key is not retried, because retries lock the account. */
export async function login(connection: Connection, { username, key, item }: Credentials): Promise<Roles> {
  let reply: Reply;
  try {
    reply = (await connection.call("auth.login_ex", [{ mechanism: "API_KEY_PLAIN", username, api_key: key }], LOGIN_SECONDS)) as Reply;
  } catch (error) {
    if (!(error instanceof NasRefused)) throw error;
    throw refused(explainError(error), item);
  }
  const why = explain(reply);
  if (why !== undefined) throw refused(why, item);
  const roles = reply.user_info?.privilege?.roles;
  return roles && new Set(Array.isArray(roles) ? roles : roles.$set);
}

const refused = (why: string, item: string) =>
  new Failure({
    attempted: "log in to TrueNAS",
    said: why,
    now: "nothing was changed",
    next: `check TRUENAS_USERNAME and TRUENAS_API in ${item} (TrueNAS: Credentials → Users → API Keys)`,
  });

/** Why this reply is not a login; undefined when it is one. */
export function explain({ response_type, urls }: Pick<Reply, "response_type" | "urls">): string | undefined {
  switch (response_type) {
    case "SUCCESS":
      return undefined;
    case "AUTH_ERR":
      return "AUTH_ERR: the key is wrong, belongs to another user, or the user is disabled";
    case "EXPIRED":
      return "EXPIRED: the key has expired, or TrueNAS revoked it because it was once used without TLS; make a new one";
    case "OTP_REQUIRED":
      return "OTP_REQUIRED: the user has two-factor authentication, which does not work with an API key";
    case "DENIED":
      return "DENIED: the user may not use the API";
    case "REDIRECT":
      return `REDIRECT: this is the standby node; use ${urls?.join(", ") ?? "the active one"}`;
    default:
      return `${response_type}: unknown answer`;
  }
}

function explainError(error: NasRefused): string {
  const said = error.account.said ?? "";
  if (said.includes("unexpected authenticator run state")) return `the key is revoked, expired or belongs to another user (${said})`;
  if (said.includes("Rate Limit")) return `${said}: too many logins from here; wait ten minutes`;
  return said;
}
