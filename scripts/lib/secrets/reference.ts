// `op://vault/item/[section/]field`, the reference to a secret. A reference that `op` could misread is refused before anything runs.
import { UsageError } from "../run/errors.ts";

export interface Reference {
  vault: string;
  item: string;
  section?: string;
  field: string;
}

/** The characters that 1Password accepts in a reference; a name with others needs its ID instead. A query (`?attribute=otp`) may follow. */
const PART = /^[\w. -]*[\w.-][\w. -]*$/;
const QUERY = /\?[a-z-]+=[\w-]+$/;

/** The parts of a reference. Throws a UsageError with what is wrong. */
export function parseReference(text: string): Reference {
  const wrong = flaw(text);
  if (wrong) throw new UsageError(wrong);
  const [vault = "", item = "", ...rest] = parts(text);
  const [section, field = ""] = rest.length === 2 ? rest : [undefined, rest[0]];
  return { vault, item, ...(section !== undefined && { section }), field };
}

/** Throws one UsageError that lists every malformed reference. */
export function refuseMalformed(references: readonly string[]): void {
  const wrong = references.flatMap((text) => flaw(text) ?? []);
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
}

const parts = (text: string) => text.slice("op://".length).replace(QUERY, "").split("/");

function flaw(text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (!text.startsWith("op://")) return `${shown} is no reference: it starts with op://`;
  const all = parts(text);
  if (all.length < 3 || all.length > 4) return `${shown} is no reference: op://vault/item/field or op://vault/item/section/field`;
  const odd = all.find((part) => !PART.test(part));
  if (odd === undefined) return undefined;
  if (odd.trim() === "") return `${shown} is no reference: a part of it is empty`;
  const letters = [...new Set(odd.replaceAll(/[\w. -]/g, ""))].join(" ");
  return `${shown} is no reference: "${odd}" has ${letters} in it, 1Password takes letters, digits, space, - _ and . there: use the ID in place of the name`;
}
