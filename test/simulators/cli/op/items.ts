// `op item list|get|create|edit`: templates come on stdin or from a path, because an assignment on the command line would expose the secret.
import { Untaught } from "../../world/tool.ts";
import { findItem, findVault, id, isHidden } from "../../world/op/vault.ts";
import type { World } from "../../world/world.ts";
import { json, needJson, type OpCall, OpError, readIn } from "./call.ts";
import type { Field, Item } from "../../world/op/vault-state.ts";

interface Template {
  title?: string;
  category?: string;
  tags?: string[];
  vault?: { id?: string; name?: string };
  fields?: (Partial<Field> & { section?: { id: string; label?: string } })[];
}

export async function itemCommand(op: OpCall): Promise<number> {
  const [action, ...rest] = op.rest;
  needJson(op.words);
  if (action === "list" && rest.length === 0) return list(op);
  if (action === "get" && rest.length === 1) return get(op, rest[0]!);
  if (action === "create") return create(op, rest);
  if (action === "edit" && rest[0] !== undefined) return edit(op, rest[0], rest.slice(1));
  throw new Untaught();
}

const vaultOf = (world: World, wanted: string) => {
  const found = findVault(world.state.vault, wanted);
  if ("error" in found) throw new OpError(found.error);
  return found.found;
};

const itemOf = ({ world, words }: OpCall, wanted: string): Item => {
  const found = findItem(world.state.vault, wanted, words.text("vault"));
  if ("error" in found) throw new OpError(found.error);
  return found.found;
};

const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const overview = (world: World, { id, title, version, vault, category, tags, created, updated }: Item) => ({
  id,
  title,
  ...(tags.length > 0 && { tags }),
  version,
  vault: { id: vault, name: world.state.vault.vaults.find((one) => one.id === vault)?.name },
  category,
  last_edited_by: world.state.vault.account.user,
  created_at: time(created),
  updated_at: time(updated),
});

function list({ world, words, call }: OpCall): number {
  const vault = words.text("vault");
  const where = vault === undefined ? undefined : vaultOf(world, vault).id;
  const categories = words.list("categories").map(categoryOf);
  const tags = words.list("tags");
  const items = world.state.vault.items.filter(
    (item) =>
      (where === undefined || item.vault === where) &&
      (categories.length === 0 || categories.includes(item.category)) &&
      (tags.length === 0 || tags.some((tag) => item.tags.includes(tag))),
  );
  call.out(json(items.map((item) => overview(world, item))));
  return 0;
}

function get(op: OpCall, wanted: string): number {
  const { world, words, call } = op;
  const item = itemOf(op, wanted);
  const fields = item.fields.filter((field) => !isHidden(world, field)).map((field) => shown(world, item, field));
  const asked = words.list("fields").map((field) => field.replace(/^label=/, ""));
  if (asked.length === 0) {
    const sections = [...new Map(item.fields.flatMap(({ section }) => (section ? [[section.id, section] as const] : []))).values()];
    call.out(json({ ...overview(world, item), ...(sections.length > 0 && { sections }), fields }));
    return 0;
  }
  const found = asked.map((label) => {
    const field = fields.find((field) => field.label === label);
    if (!field) throw new OpError(`"${label}" isn't a field in the "${item.title}" item`);
    return field;
  });
  call.out(json(found.length === 1 ? found[0] : found));
  return 0;
}

function shown(world: World, item: Item, { id, section, type, purpose, label, value }: Field) {
  const vault = world.state.vault.vaults.find((one) => one.id === item.vault)?.name;
  const path = section?.label ? `${section.label}/${label}` : label;
  return {
    id,
    ...(section && { section }),
    type,
    ...(purpose && { purpose }),
    label,
    ...(value !== undefined && { value }),
    reference: `op://${vault}/${item.title}/${path}`,
  };
}

/** "Secure Note", "SECURE_NOTE", "securenote" are one category. */
const CATEGORIES = ["LOGIN", "SECURE_NOTE", "PASSWORD", "API_CREDENTIAL", "SERVER", "DATABASE"];
function categoryOf(text: string): string {
  const plain = (name: string) => name.replace(/[\s_-]/g, "").toUpperCase();
  const found = CATEGORIES.find((one) => plain(one) === plain(text));
  if (!found) throw new OpError(`"${text}" isn't a valid category: ${CATEGORIES.join(", ")}`);
  return found;
}

async function templateOf({ call, words }: OpCall, words2: string[]): Promise<Template> {
  const file = words.text("template");
  if (words2.length > 1 || (words2.length === 1 && words2[0] !== "-")) throw new Untaught("assignments on the command line");
  const text = file === undefined ? await call.stdin() : await readIn(call, file);
  try {
    return JSON.parse(text) as Template;
  } catch {
    throw new OpError("invalid JSON in the item template: make sure that the template is a JSON object with title, category and fields");
  }
}

/** The fields of a template. A field without a value has no value in the item. */
const fieldsOf = ({ fields = [] }: Template): Field[] =>
  fields.map((field) => ({
    id: field.id || id(),
    label: field.label ?? field.id ?? "",
    type: field.type ?? "STRING",
    ...(field.purpose !== undefined && { purpose: field.purpose }),
    ...(field.section !== undefined && { section: field.section }),
    ...(field.value !== undefined && field.value !== "" && { value: field.value }),
  }));

async function create(op: OpCall, words2: string[]): Promise<number> {
  const { world, call, words } = op;
  const template = await templateOf(op, words2);
  const vault = vaultOf(world, words.text("vault") ?? template.vault?.name ?? template.vault?.id ?? "Private");
  const category = categoryOf(words.text("category") ?? template.category ?? "LOGIN");
  const now = world.now();
  const item: Item = {
    id: id(),
    title: words.text("title") ?? template.title ?? "Untitled item",
    vault: vault.id,
    category,
    tags: words.list("tags").length > 0 ? words.list("tags") : (template.tags ?? []),
    version: 1,
    created: now,
    updated: now,
    fields: fieldsOf(template),
  };
  world.change("product", `op item create ${item.title}`, ({ vault: { items } }) => void items.push(item));
  call.out(json({ ...overview(world, item), fields: item.fields.map((field) => shown(world, item, field)) }));
  return 0;
}

/** A template replaces all fields of the item. */
async function edit(op: OpCall, wanted: string, words2: string[]): Promise<number> {
  const { world, call, words } = op;
  const found = itemOf(op, wanted);
  const template = await templateOf(op, words2);
  const item = world.change("product", `op item edit ${found.title}`, ({ vault: { items } }) => {
    const item = items.find(({ id }) => id === found.id)!;
    const fields = [...fieldsOf(template), ...item.fields.filter((field) => isHidden(world, field))];
    for (const field of fields)
      field.id = item.fields.find((old) => old.label === field.label && old.section?.id === field.section?.id)?.id ?? field.id;
    Object.assign(item, {
      title: words.text("title") ?? template.title ?? item.title,
      ...(template.tags && { tags: template.tags }),
      fields,
      version: item.version + 1,
      updated: world.now(),
    });
    return item;
  });
  call.out(json({ ...overview(world, item), fields: item.fields.map((field) => shown(world, item, field)) }));
  return 0;
}
