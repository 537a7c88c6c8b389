// .sops.yaml as SOPS reads it (config/config.go): recipients are text, a list or key groups, of any type, also through aliases and merge keys.
import type { Document, LineCounter, Node, Scalar, YAMLMap } from "yaml";

/** What a fresh fork has in place of a recipient. Nothing else is ever replaced. */
export const PLACEHOLDER = "age1-your-recipient-see-task-secrets-init";

/** Key groups may be merged into each other; more levels than this are a circle. */
const MERGE_DEPTH = 20;

export interface SopsRule {
  path_regex?: string;
  encrypted_regex?: string;
  mac_only_encrypted?: boolean;
  line: number;
  /** The age recipients of every group, whatever their type; the placeholder is none. */
  recipients: string[];
  /** The position of the placeholder in the text. */
  placeholders: number[];
  /** Why the rule cannot be read; SOPS refuses it too. */
  flaw?: string;
}

/** The creation rules of a .sops.yaml in order. A file that cannot be read is one rule with a flaw. */
export async function readSopsRules(text: string): Promise<SopsRule[]> {
  const { isMap, isScalar, isSeq, LineCounter, parseAllDocuments } = await import("yaml");
  const lines = new LineCounter();
  const [document] = parseAllDocuments(text, { lineCounter: lines }) as Document.Parsed[];
  if (!document || (isScalar(document.contents) && document.contents.value === null)) return [];
  const unreadable = (flaw: string, line = 1): SopsRule[] => [{ line, recipients: [], placeholders: [], flaw }];
  const [error] = document.errors;
  if (error) return unreadable(error.message.split("\n")[0]!, error.linePos?.[0].line);
  if (!isMap(document.contents)) return unreadable("the file is not a map");
  const reader = await readerOf(document, lines);
  let rules: Node | undefined;
  try {
    rules = reader.valueOf(document.contents, "creation_rules");
  } catch (error) {
    return unreadable((error as Error).message);
  }
  if (rules === undefined) return [];
  if (!isSeq(rules)) return unreadable("creation_rules is not a list", reader.lineOf(rules));
  return rules.items.map((item) => ruleOf(item as Node, text, reader));
}

type Reader = Awaited<ReturnType<typeof readerOf>>;

/** Looks through aliases and merge keys of one document. */
async function readerOf(document: Document.Parsed, lines: LineCounter) {
  const { isAlias, isMap, isScalar, isSeq } = await import("yaml");
  const resolve = (node: unknown): Node | undefined => {
    const found = isAlias(node) ? node.resolve(document) : (node as Node | null | undefined);
    if (isAlias(node) && !found) throw new Unreadable(`the alias *${node.source} has no anchor`);
    return found === null || found === undefined || (isScalar(found) && found.value === null) ? undefined : found;
  };
  const valueOf = (map: YAMLMap, key: string): Node | undefined => {
    const named = (name: string) => map.items.find((pair) => isScalar(pair.key) && pair.key.value === name);
    const own = named(key);
    if (own) return resolve(own.value);
    const merged = resolve(named("<<")?.value);
    const parents = isSeq(merged) ? merged.items.map(resolve) : [merged];
    for (const parent of parents) {
      const value = isMap(parent) && parent !== map ? valueOf(parent, key) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  };
  return {
    isMap,
    isScalar,
    isSeq,
    resolve,
    valueOf,
    lineOf: (node: Node | undefined) => (node?.range ? lines.linePos(node.range[0]).line : 1),
  };
}

function ruleOf(item: Node, text: string, reader: Reader): SopsRule {
  const rule: SopsRule = { line: reader.lineOf(item), recipients: [], placeholders: [] };
  try {
    const node = reader.resolve(item);
    if (!reader.isMap(node)) throw new Unreadable("the rule is not a map");
    for (const name of ["path_regex", "encrypted_regex"] as const) {
      const value = reader.valueOf(node, name);
      if (value !== undefined) rule[name] = patternOf(value, name, reader);
    }
    const macOnly = reader.valueOf(node, "mac_only_encrypted");
    if (reader.isScalar(macOnly)) rule.mac_only_encrypted = macOnly.value === true;
    for (const scalar of recipientNodes(node, reader)) addRecipients(rule, scalar, text, reader);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    rule.flaw = error.message;
  }
  return rule;
}

function addRecipients(rule: SopsRule, scalar: Text, text: string, reader: Reader): void {
  const parts = (scalar.value as string).split(",").map((part) => part.trim());
  for (const part of parts) if (part !== "" && part !== PLACEHOLDER && !rule.recipients.includes(part)) rule.recipients.push(part);
  if (!parts.includes(PLACEHOLDER)) return;
  const [start, end] = scalar.range!;
  const places = placesIn(text.slice(start, end)).map((at) => start + at);
  if (places.length === 0) throw new Unreadable(`the placeholder in line ${reader.lineOf(scalar)} is split over lines`);
  rule.placeholders.push(...places);
}

class Unreadable extends Error {}

type Text = Scalar<unknown>;

/** The scalars that hold the recipients of a rule. Like SOPS, `key_groups` hides `age` beside it. */
function recipientNodes(rule: YAMLMap, reader: Reader): Text[] {
  const groups = reader.valueOf(rule, "key_groups");
  if (groups !== undefined && !reader.isSeq(groups)) throw new Unreadable("key_groups is not a list");
  if (groups && groups.items.length > 0) return groups.items.flatMap((group) => ofGroup(reader.resolve(group), reader, 0));
  const age = reader.valueOf(rule, "age");
  return reader.isSeq(age) ? listOf(age.items, reader) : age === undefined ? [] : [textOf(age, reader)];
}

function ofGroup(group: Node | undefined, reader: Reader, depth: number): Text[] {
  if (group === undefined) return [];
  if (!reader.isMap(group)) throw new Unreadable(`the key group in line ${reader.lineOf(group)} is not a map`);
  if (depth > MERGE_DEPTH) throw new Unreadable("key groups are merged in a circle");
  const merged = reader.valueOf(group, "merge");
  if (merged !== undefined && !reader.isSeq(merged)) throw new Unreadable(`merge in line ${reader.lineOf(merged)} is not a list`);
  const age = reader.valueOf(group, "age");
  if (age !== undefined && !reader.isSeq(age))
    throw new Unreadable(`age in line ${reader.lineOf(age)} is not a list: in a key group it has to be one`);
  return [...(merged?.items ?? []).flatMap((one) => ofGroup(reader.resolve(one), reader, depth + 1)), ...listOf(age?.items ?? [], reader)];
}

const listOf = (items: readonly unknown[], reader: Reader): Text[] =>
  items.flatMap((item) => {
    const node = reader.resolve(item);
    return node === undefined ? [] : [textOf(node, reader)];
  });

function textOf(node: Node, reader: Reader): Text {
  if (reader.isScalar(node) && typeof node.value === "string") return node;
  throw new Unreadable(`the age recipient in line ${reader.lineOf(node)} is neither text nor a list of texts`);
}

/** Positions of the placeholder as a word of its own; longer words that contain it are other recipients. */
const placesIn = (source: string): number[] =>
  [...source.matchAll(new RegExp(`(?<![\\w-])${PLACEHOLDER}(?![\\w-])`, "g"))].map(({ index }) => index);

function patternOf(node: Node, name: string, reader: Reader): string {
  if (!reader.isScalar(node) || typeof node.value !== "string") throw new Unreadable(`${name} is not text`);
  try {
    goPattern(node.value);
    return node.value;
  } catch {
    throw new Unreadable(`${name} cannot be read as a regular expression: ${node.value}`);
  }
}

/** A pattern in Go's syntax, which knows flags at the start and another way to name groups. */
export function goPattern(text: string): RegExp {
  const [flags = "", letters = ""] = /^\(\?([ims]+)\)/.exec(text) ?? [];
  return new RegExp(text.slice(flags.length).replaceAll("(?P<", "(?<"), letters);
}
