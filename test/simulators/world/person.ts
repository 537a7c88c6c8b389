// What only a person can do in the simulated home: fetch keys and tokens from the places that give them, and put them into 1Password.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { findVault, id } from "./op/vault.ts";
import type { World } from "./world.ts";
import type { Field } from "./op/vault-state.ts";

/** What the person reads off the simulated NAS. */
export interface NasCard {
  host: string;
  username: string;
  key: string;
  fingerprint: string;
}

export interface Fetched {
  item: string;
  field: string;
}

/** One look at a value tells that it is a secret of the simulated home, and which. */
const taint = (field: string) => `taint-${field.toLowerCase().replaceAll("_", "-")}-${randomBytes(9).toString("hex")}`;
const plain = (value: () => string) => ({ type: "STRING", value });
const concealed = (value: () => string) => ({ type: "CONCEALED", value });

type Kind = { type: string; value(field: string): string };
/** With quotes, a backslash, signs of URLs and a second line: a value must arrive as it is, and be hidden in each form that it passes through. */
const hard = (field: string) => `${taint(field)}"'\\n\\"%2F+&=<${taint("second")}>\n${taint("line")}`;
const token: Kind = { type: "CONCEALED", value: hard };

/** Items and fields as in a home's vault; `talosdeploy` is the NAS. */
const CATALOGUE: Record<string, Record<string, Kind>> = {
  "1password": {
    OP_CREDENTIALS_JSON: concealed(() =>
      JSON.stringify({ verifier: { salt: taint("salt") }, encCredentials: { data: taint("credentials") }, version: "2" }),
    ),
    OP_CONNECT_TOKEN: token,
  },
  "cert-manager": {
    EAB_HMAC_KEY: token,
  },
  cloudflare: {
    CLOUDFLARE_DNS_TOKEN: token,
    CLOUDFLARE_ZONE_ID: plain(() => randomBytes(16).toString("hex")),
    CLOUDFLARE_ACCOUNT_TAG: plain(() => randomBytes(16).toString("hex")),
    CLOUDFLARE_TUNNEL_SECRET: concealed(() => Buffer.from(taint("tunnel")).toString("base64")),
  },
  flux: { FLUX_GITHUB_WEBHOOK_TOKEN: token, FLUX_GITHUB_TOKEN: token },
  unifi: { UNIFI_API_KEY: token },
  pushover: { PUSHOVER_USER_KEY: token },
  alertmanager: {
    ALERTMANAGER_HEARTBEAT_URL: concealed(() => `https://heartbeat.example.com/${taint("heartbeat")}`),
    ALERTMANAGER_PUSHOVER_TOKEN: token,
  },
  ilert: { ILERT_WEBHOOK_URL: concealed(() => `https://api.ilert.com/api/v1/events/${taint("ilert")}`) },
  "actions-runner": {
    ACTIONS_RUNNER_APP_ID: plain(() => "123456"),
    ACTIONS_RUNNER_INSTALLATION_ID: plain(() => "12345678"),
    ACTIONS_RUNNER_PRIVATE_KEY: concealed(
      () =>
        generateKeyPairSync("ec", {
          namedCurve: "P-256",
          privateKeyEncoding: { type: "pkcs8", format: "pem" },
          publicKeyEncoding: { type: "spki", format: "pem" },
        }).privateKey,
    ),
  },
};

/** Items of which the person knows that they belong into the vault that the cluster does not read. */
const OPERATORS = ["1password", "talosdeploy", "esxi"];

/** Fills every field of the catalogue, of the NAS, and of `more`, that has no value yet. Returns what was filled. */
export function fetchByHand(world: World, vaults: readonly string[], nas: NasCard, more: Fetched[] = []): Fetched[] {
  const idOf = (item: string): string => {
    const found = findVault(world.state.vault, (OPERATORS.includes(item) ? vaults.at(-1) : vaults[0])!);
    if ("error" in found) throw new Error(found.error);
    return found.found.id;
  };
  const wanted: Record<string, Record<string, Kind>> = {
    ...CATALOGUE,
    talosdeploy: {
      TRUENAS_HOST: plain(() => nas.host),
      TRUENAS_USERNAME: plain(() => nas.username),
      TRUENAS_API: concealed(() => nas.key),
      TRUENAS_CERTIFICATE: plain(() => nas.fingerprint),
      TRUENAS_SPICE_PASS: token,
    },
  };
  for (const { item, field } of more) (wanted[item] ??= {})[field] ??= token;
  const missing = Object.entries(wanted).flatMap(([item, fields]) =>
    Object.keys(fields)
      .filter((field) => !valueIn(world, idOf(item), item, field))
      .map((field) => ({ item, field })),
  );
  if (missing.length === 0) return [];
  world.change("world", "a person fills the vault", ({ vault: { items } }) => {
    for (const { item: title, field } of missing) {
      const kind = wanted[title]![field]!;
      const now = world.now();
      let item = items.find((item) => item.title === title && item.vault === idOf(title));
      if (!item)
        items.push(
          (item = {
            id: id(),
            title,
            vault: idOf(title),
            category: "API_CREDENTIAL",
            tags: [],
            version: 1,
            created: now,
            updated: now,
            fields: [],
          }),
        );
      const had = item.fields.find(({ label }) => label === field);
      if (had) had.value = kind.value(field);
      else item.fields.push({ id: id(), label: field, type: kind.type, value: kind.value(field) });
    }
  });
  return missing;
}

/** The NAS may listen on another port after the home was opened anew; a person would have changed the item. */
export function correctNasHost(world: World, host: string): void {
  const field = nasHost(world);
  if (field && field.value !== undefined && field.value !== host) {
    world.change("world", "the NAS has another port", ({ vault }) => {
      for (const item of vault.items)
        for (const one of item.fields) if (one.label === "TRUENAS_HOST" && one.value?.startsWith("127.0.0.1:")) one.value = host;
    });
  }
}

const nasHost = (world: World): Field | undefined =>
  world.state.vault.items
    .flatMap(({ fields }) => fields)
    .find(({ label, value }) => label === "TRUENAS_HOST" && value?.startsWith("127.0.0.1:"));

const valueIn = (world: World, vault: string, title: string, field: string) =>
  world.state.vault.items.find((item) => item.title === title && item.vault === vault)?.fields.find(({ label }) => label === field)?.value;
