// Items of the vault as `op` shows them and takes them back: whole, so that what is not ours stays as it is.
import type { StoredField, StoredItem } from "./op.ts";

/** A value that is to be stored. */
export interface NewField {
  field: string;
  value: string;
  public: boolean;
}

/** 1Password compares names of fields without regard to case; so a second field never appears beside one that only looks different. */
const isCalled = (field: string) => (stored: StoredField) =>
  [stored.label, stored.id].some((name) => name?.toLowerCase() === field.toLowerCase());

/** Fields of that name; more than one is a contradiction, since a reference cannot tell them apart. */
export const fieldsCalled = (item: StoredItem | undefined, field: string): StoredField[] => (item?.fields ?? []).filter(isCalled(field));

/** The value of a field; undefined when the field is absent or empty. */
export const valueOf = (item: StoredItem | undefined, field: string): string | undefined =>
  fieldsCalled(item, field).find(({ value }) => value)?.value;

/** What `op item create -` reads on stdin. */
export const newItem = (title: string, fields: readonly NewField[]): string =>
  JSON.stringify({ title, category: "SECURE_NOTE", fields: fields.map(stored) });

/** What `op item edit` reads on stdin: the item as it was, with these fields added, or filled where they stood empty. Throws when one has a value. */
export function withFields(item: StoredItem, fields: readonly NewField[]): string {
  const overwritten = fields.filter(({ field }) => valueOf(item, field) !== undefined);
  if (overwritten.length > 0)
    throw new Error(`${overwritten.map(({ field }) => field).join(", ")} of item ${item.title} would be overwritten`);
  const empty = (one: StoredField) => fields.find(({ field }) => isCalled(field)(one));
  const kept = (item.fields ?? []).map((one) => ({ ...one, ...(empty(one) && { value: empty(one)!.value }) }));
  const added = fields.filter(({ field }) => fieldsCalled(item, field).length === 0);
  return JSON.stringify({ ...item, fields: [...kept, ...added.map(stored)] });
}

const stored = ({ field, value, public: open }: NewField): StoredField => ({ type: open ? "STRING" : "CONCEALED", label: field, value });

/** Fields whose value is not what was sent, and fields of before that are not what they were; by name. */
export function differences(before: StoredItem | undefined, sent: readonly NewField[], after: StoredItem | undefined): string[] {
  const lost = sent.filter(({ field, value }) => valueOf(after, field) !== value).map(({ field }) => field);
  const changed = (before?.fields ?? []).filter(
    (old) => old.value && !after?.fields?.some((one) => one.value === old.value && (old.id ? one.id === old.id : one.label === old.label)),
  );
  return [...lost, ...changed.map(({ label, id }) => label ?? id ?? "a field without a name")];
}
