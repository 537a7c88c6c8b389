// Reads what the vaults, .sops.yaml and the key file hold. Every value that is not public is hidden from output from then on.
import { join } from "node:path";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { hide } from "../run/redact.ts";
import { readSopsRules } from "../tree/sops-rules.ts";
import { AGE_KEY, recipientsOfKeys } from "./age.ts";
import type { Known } from "./entries.ts";
import { valueOf } from "./items.ts";
import { getItem, type Listed, listItems, type StoredItem } from "./op.ts";
import type { Facts } from "./plan.ts";
import type { HomeSecrets } from "./tree.ts";
import { placeIn, placeOf, placeOfKey, vaultsOf } from "./vaults.ts";

/** Reads every item of the home that exists, with its values. */
export async function readFacts({ cluster, root, env, ui }: Context, { entries, known }: HomeSecrets): Promise<Facts> {
  const listed: Facts["listed"] = [];
  for (const vault of vaultsOf(cluster)) listed.push(...(await listItems(vault)).map((one) => ({ ...one, vault })));
  const ours = new Set(entries.map(placeOf));
  const items = new Map<string, StoredItem>();
  for (const one of listed) {
    const place = placeIn(one.vault, one.title);
    if (!ours.has(place)) continue;
    ui.progress(`reading item ${one.title}`);
    items.set(place, await readItem(one, one.vault, known));
  }
  const sops = await readIfThere(join(root, ".sops.yaml"));
  const keyFile = await readIfThere(env.SOPS_AGE_KEY_FILE!);
  return {
    listed,
    items,
    rules: sops === undefined ? undefined : await readSopsRules(sops),
    keys: {
      vault: await recipientsOfKeys(valueOf(items.get(placeOfKey(cluster, AGE_KEY.item)), AGE_KEY.field) ?? ""),
      file: keyFile === undefined ? undefined : await recipientsOfKeys(keyFile),
    },
  };
}

/** One item with its values. */
export async function readItem(one: Listed, vault: string, { isPublic }: Pick<Known, "isPublic">): Promise<StoredItem> {
  const item = await getItem(one, vault);
  const isSecret = (field: string) => !isPublic({ vault, item: one.title, field });
  hide((item.fields ?? []).flatMap(({ label, value }) => (value && isSecret(label ?? "") ? [value] : [])));
  return item;
}

/** The item of that name as it is now; undefined when there is none. Two of one name are a Failure. */
export async function currentItem(title: string, vault: string, known: Pick<Known, "isPublic">): Promise<StoredItem | undefined> {
  const [found, ...more] = (await listItems(vault)).filter((item) => item.title === title);
  if (more.length > 0)
    throw new Failure({
      attempted: `read item ${title} of vault ${vault}`,
      said: `more than one item is called ${title}`,
      next: "archive all but one in the 1Password app, then: task secrets:init",
    });
  return found && readItem(found, vault, known);
}
