// The stand-in for 1Password's command line: version, whoami, vaults, read, inject. Items stand in op-items.ts.
import type { Call, Tool } from "../../world/tool.ts";
import { Untaught } from "../../world/tool.ts";
import { accessError, findVault, readReference } from "../../world/op/vault.ts";
import type { World } from "../../world/world.ts";
import { type Flag, readFlags } from "../flags.ts";
import { goError } from "../go-errors.ts";
import { json, needJson, type OpCall, OpError, readIn } from "./call.ts";
import { itemCommand } from "./items.ts";

const VERSION = "2.32.0";

/** Flags that every command takes. */
const COMMON: Record<string, Flag> = {
  account: { is: "text" },
  format: { is: "text" },
  session: { is: "text" },
  config: { is: "text" },
  "no-color": { is: "switch" },
  cache: { is: "switch" },
  "iso-timestamps": { is: "switch" },
};

const FLAGS: Record<string, Flag> = {
  ...COMMON,
  version: { is: "switch", short: "v" },
  vault: { is: "text" },
  "in-file": { is: "text", short: "i" },
  "out-file": { is: "text", short: "o" },
  "file-mode": { is: "text" },
  force: { is: "switch", short: "f" },
  "no-newline": { is: "switch", short: "n" },
  fields: { is: "list" },
  reveal: { is: "switch" },
  template: { is: "text" },
  category: { is: "text" },
  categories: { is: "list" },
  title: { is: "text" },
  tags: { is: "list" },
};

export const op: Tool = async (world, call) => {
  const words = readFlags(call.argv, FLAGS);
  const [command, ...rest] = words.rest;
  if (words.on("version")) return print(call, `${VERSION}\n`);
  try {
    if (command === "whoami") return whoami({ world, call, words, rest });
    const refused = accessError(world);
    if (refused) throw new OpError(refused);
    if (command === "read") return await read({ world, call, words, rest });
    if (command === "inject") return await inject({ world, call, words, rest });
    if (command === "vault") return vaults({ world, call, words, rest });
    if (command === "item") return await itemCommand({ world, call, words, rest });
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    call.err(`[ERROR] ${stamp(world)} ${error.message}\n`);
    return 1;
  }
  throw new Untaught();
};

function print(call: Call, text: string): 0 {
  call.out(text);
  return 0;
}

const stamp = (world: World) => new Date(world.now()).toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");

function whoami({ world, call, words }: OpCall): number {
  if (call.env.OP_CONNECT_HOST && call.env.OP_CONNECT_TOKEN)
    throw new OpError("Account details are not available when using 1Password Connect");
  if (world.has("vault-signed-out")) throw new OpError("account is not signed in");
  const { url, email, user, account } = world.state.vault.account;
  const facts = call.env.OP_SERVICE_ACCOUNT_TOKEN
    ? { url, URL: url, user_uuid: user, account_uuid: account, user_type: "SERVICE_ACCOUNT", ServiceAccountType: "SERVICE_ACCOUNT" }
    : { url, email, user_uuid: user, account_uuid: account };
  if (words.text("format") === "json") return print(call, json(facts));
  return print(call, `URL:        ${url}\n${"email" in facts ? `Email:      ${email}\n` : ""}User ID:    ${user}\n`);
}

async function read({ world, call, words, rest: [reference = ""] }: OpCall): Promise<number> {
  const found = readReference(world, reference);
  if ("error" in found) throw new OpError(found.error);
  const text = words.on("no-newline") ? found.found : `${found.found}\n`;
  const file = words.text("out-file");
  if (file === undefined) return print(call, text);
  await writeOut(call, file, text, words.text("file-mode"));
  return print(call, `${file}\n`);
}

/** Both forms of reference: `{{ op://vault/item/field }}`, and bare as long as its letters last. */
const REFERENCE = /\{\{\s*(op:\/\/[^}\s]+?)\s*\}\}|op:\/\/[A-Za-z0-9_.\-/?=%]+/g;

async function inject({ world, call, words }: OpCall): Promise<number> {
  const from = words.text("in-file");
  const template = from === undefined ? await call.stdin() : await readIn(call, from);
  let refused: string | undefined;
  const text = template.replace(REFERENCE, (whole, enclosed?: string) => {
    const found = readReference(world, (enclosed ?? whole).trim());
    if ("error" in found) refused ??= found.error;
    return "found" in found ? found.found : whole;
  });
  if (refused !== undefined) throw new OpError(refused);
  const file = words.text("out-file");
  if (file === undefined) return print(call, text);
  await writeOut(call, file, text, words.text("file-mode"));
  return print(call, `${file}\n`);
}

const writeOut = (call: Call, file: string, text: string, mode = "0600") =>
  call.write(file, text, Number.parseInt(mode, 8)).catch((error: unknown) => {
    throw new OpError(goError(file, error));
  });

function vaults({ world, call, words, rest: [action, name = ""] }: OpCall): number {
  needJson(words);
  const { vaults, items } = world.state.vault;
  const facts = (vault: { id: string; name: string }) => ({
    id: vault.id,
    name: vault.name,
    content_version: items.filter((item) => item.vault === vault.id).reduce((sum, { version }) => sum + version, 1),
  });
  if (action === "list") return print(call, json(vaults.map(facts)));
  if (action !== "get") throw new Untaught();
  const found = findVault(world.state.vault, name);
  if ("error" in found) throw new OpError(found.error);
  return print(
    call,
    json({
      ...facts(found.found),
      attribute_version: 1,
      items: items.filter((item) => item.vault === found.found.id).length,
      type: "USER_CREATED",
    }),
  );
}
