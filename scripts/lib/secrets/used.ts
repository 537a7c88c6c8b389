// Finds the references in the templates of the repository: `op://vault/item/field` as text, and ref("item", "field") as templates write it.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Cluster, ITEM_KEYS, type ItemKey, reference } from "../cluster/cluster.ts";
import { UsageError } from "../run/errors.ts";
import { readIfThere, whenPresent } from "../run/files.ts";
import { nearest } from "../text/nearest.ts";

const FOLDERS = ["bootstrap", "talos"];
const RENDERED = /\.(ya?ml|njk|gotmpl)$/;

/** Every reference of a text, without those in comments. Throws for a ref() to an unknown item. */
export function referencesIn(text: string, cluster: Pick<Cluster, "onepassword">): string[] {
  const code = text.replaceAll(/\{#[\s\S]*?#\}/g, "").replaceAll(/^\s*#.*$/gm, "");
  const literal = code.split("\n").flatMap(literalsOf);
  const called = [...code.matchAll(/\bref\(\s*["'](\w+)["']\s*,\s*["']([^"']+)["']\s*\)/g)].map(([, item = "", field = ""]) => {
    if (ITEM_KEYS.includes(item as ItemKey)) return reference(cluster, item as ItemKey, field);
    const close = nearest(item, ITEM_KEYS);
    throw new UsageError(`ref("${item}", "${field}"): no such item${close ? `, did you mean "${close}"?` : ""}`);
  });
  return [...new Set([...literal, ...called])];
}

/** What may stand before a whole value: a key, a dash, a quote, a bracket, `{{`. */
const VALUE_BEGINS = /(?:^|[:[{,(-])\s*["'`]?$/;

/** The references of a line. A reference that is a whole value may contain spaces, as in rendering; inside a text it ends at the first space. */
function literalsOf(line: string): string[] {
  return [...line.matchAll(/op:\/\//g)].flatMap(({ index }) => {
    const [before, rest] = [line.slice(0, index), line.slice(index)];
    if (/\s#[^"']*$/.test(before)) return []; // a comment behind a value
    if (!VALUE_BEGINS.test(before)) return [/^[^\s"'`{}|]+/.exec(rest)![0]];
    const [, quote] = /(["'`])$/.exec(before) ?? [];
    const end = quote ? rest.indexOf(quote) : rest.search(/\s#|[{}|,\]"'`]/);
    return [(end < 0 ? rest : rest.slice(0, end)).replace(/\s*\}\}.*$/, "").trimEnd()];
  });
}

/** The references of bootstrap/ and talos/, each with the first file that contains it. */
export async function templateReferences(root: string, cluster: Pick<Cluster, "onepassword">): Promise<Map<string, string>> {
  const used = new Map<string, string>();
  for (const folder of FOLDERS) {
    const names = (await whenPresent(readdir(join(root, folder), { recursive: true }))) ?? [];
    for (const name of names.filter((name) => RENDERED.test(name)).toSorted()) {
      const file = join(folder, name);
      const text = (await readIfThere(join(root, file))) ?? "";
      for (const found of referencesIn(text, cluster)) if (!used.has(found)) used.set(found, file);
    }
  }
  return used;
}
