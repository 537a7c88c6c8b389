// Items of the vault as `op` prints and accepts them: always complete, so that an edit keeps the fields that are not ours.
import type { StoredField, StoredItem } from "./op.ts";

/** A value that is to be stored. */
export interface NewField {
  field: string;
  value: string;
  public: boolean;
}

/** 1Password ignores case in field names, so this does too: otherwise an edit could add a second field of the same name. */
const isCalled = (field: string) => (stored: StoredField) =>
  [stored.label, stored.id].some((name) => name?.toLowerCase() === field.toLowerCase());

/** Fields of that name. More than one is a contradiction, because a reference cannot distinguish them. */
export const fieldsCalled = (item: StoredItem | undefined, field: string): StoredField[] => (item?.fields ?? []).filter(isCalled(field));

/** The value of a field; undefined when the field is absent or empty. */
export const valueOf = (item: StoredItem | undefined, field: string): string | undefined =>
  fieldsCalled(item, field).find(({ value }) => value)?.value;

/** What `op item create -` reads on stdin. */
export const newItem = (title: string, fields: readonly NewField[]): string =>
  JSON.stringify({ title, category: "SECURE_NOTE", fields: fields.map(stored) });

/** What `op item edit` reads on stdin: the existing item with these fields added, or filled if they were empty. Throws if one already has a value. */
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

/** The names of fields whose value is not the one that was sent, and of earlier fields that changed. */
export function differences(before: StoredItem | undefined, sent: readonly NewField[], after: StoredItem | undefined): string[] {
  const lost = sent.filter(({ field, value }) => valueOf(after, field) !== value).map(({ field }) => field);
  const changed = (before?.fields ?? []).filter(
    (old) => old.value && !after?.fields?.some((one) => one.value === old.value && (old.id ? one.id === old.id : one.label === old.label)),
  );
  return [...lost, ...changed.map(({ label, id }) => label ?? id ?? "a field without a name")];
}
