// auth.*: a failed login is a result, not an error, and is held back for a moment.
import { type Account, era } from "../../world/nas/nas.ts";
import { raised, untaught } from "../../world/nas/refusals.ts";
import { accountOfKey, makeToken, refuse, type Server, useToken } from "./server.ts";
import type { Call } from "./call.ts";
import type { Run } from "./call.ts";

interface LoginData {
  mechanism: string;
  username: string;
  api_key: string;
  token: string;
  login_options: { user_info: boolean; reconnect_token?: boolean };
}

const HELD_BACK = 1.5; // seconds

/** The user as `auth.me` and a login show them. */
const userOf = ({ username, uid, roles }: Account) => ({
  pw_name: username,
  pw_gecos: username,
  pw_dir: "/var/empty",
  pw_shell: "/usr/sbin/nologin",
  pw_uid: uid,
  pw_gid: uid,
  grouplist: null,
  sid: null,
  source: "LOCAL",
  local: true,
  attributes: {},
  two_factor_config: { provisioning_uri: null, secret_configured: false, interval: 30, otp_digits: 6 },
  privilege: { roles: { $set: roles }, allowlist: [], web_shell: false, webui_access: true },
  account_attributes: ["LOCAL", "API_KEY"],
});

async function login(call: Call, data: LoginData): Promise<object> {
  const { server, client } = call;
  const account = accountBy(server, data);
  if (!account || account.expired) {
    await server.wait(HELD_BACK);
    return { response_type: account ? "EXPIRED" : "AUTH_ERR" };
  }
  client.account = account;
  const isNew = call.version.name.startsWith("26");
  return {
    response_type: "SUCCESS",
    user_info: data.login_options.user_info ? userOf(account) : null,
    authenticator: "LEVEL_1",
    ...(isNew && { reconnect_token: data.login_options.reconnect_token ? makeToken(server, account, 600) : null }),
  };
}

function accountBy(server: Server, { mechanism, username, api_key, token }: LoginData): Account | undefined {
  if (mechanism === "TOKEN_PLAIN") return useToken(server, token);
  if (mechanism !== "API_KEY_PLAIN") return refuse(untaught(`logins by ${mechanism}`));
  const account = accountOfKey(server, api_key);
  return account?.username === username ? account : undefined;
}

/** The older logins: only yes or no. */
async function simpleLogin({ server, client }: Call, account: Account | undefined): Promise<boolean> {
  if (!account || account.expired) await server.wait(HELD_BACK);
  else client.account = account;
  return account !== undefined && !account.expired;
}

export const AUTH: Record<string, Run> = {
  "auth.login_ex": login,
  "auth.login_with_api_key": (call, key: string) => simpleLogin(call, accountOfKey(call.server, key)),
  "auth.login_with_token": (call, token: string) => simpleLogin(call, useToken(call.server, token)),
  "auth.generate_token": ({ server, client }, ttl: number | null, attrs: object, _matchOrigin: boolean, singleUse: boolean) =>
    makeToken(server, client.account!, ttl ?? 600, { singleUse, usable: Object.keys(attrs).length === 0 }),
  "auth.me": ({ client }) => userOf(client.account!),
  "auth.logout": ({ client }) => {
    client.account = undefined;
    return true;
  },
  "auth.mechanism_choices": ({ server, client }) => {
    if (!client.account && era(server.nas()) === 2504)
      return refuse(raised("AttributeError", "'NoneType' object has no attribute 'may_create_auth_token'"));
    return ["API_KEY_PLAIN", "TOKEN_PLAIN", "PASSWORD_PLAIN", ...(era(server.nas()) === 26 ? ["SCRAM"] : [])];
  },
};
