// The secrets that this run has read, indexed so that one pass searches a long text for hundreds of them.
import { partsOf, patternOf } from "./redact-forms.ts";

export type Range = readonly [start: number, end: number];

/** Letters and digits are the same in every form except base64, so a few consecutive ones show which secrets a text may contain. */
const LENGTHS = [8, 6, 4] as const;

const parts = new Set<string>();
const patterns = new Map<string, RegExp>();
/** By an anchor of the part, in the order of LENGTHS. */
const anchored: Map<string, string[]>[] = LENGTHS.map(() => new Map());
/** Parts that have no four letters or digits in a row. */
const others = new Set<string>();

export const isEmpty = () => parts.size === 0;
export const allParts = (): Iterable<string> => parts;

export function add(value: string): void {
  for (const part of partsOf(value)) {
    if (parts.has(part)) continue;
    parts.add(part);
    const run = (part.match(/[A-Za-z0-9]+/g) ?? []).reduce((longest, one) => (one.length > longest.length ? one : longest), "");
    const at = LENGTHS.findIndex((length) => run.length >= length);
    if (at < 0) others.add(part);
    else {
      const anchor = run.slice(-LENGTHS[at]!); // the end: beginnings are often common to many (`https`, `ghp_`, `MII`)
      anchored[at]!.set(anchor, [...(anchored[at]!.get(anchor) ?? []), part]);
    }
  }
}

/** The positions of known secrets in a text, in every form except base64. */
export function find(text: string): Range[] {
  const ranges: Range[] = [];
  for (const part of candidates(text)) {
    let pattern = patterns.get(part);
    if (!pattern) patterns.set(part, (pattern = new RegExp(patternOf(part), "g")));
    for (const { index, 0: whole } of text.matchAll(pattern)) ranges.push([index, index + whole.length]);
  }
  return ranges;
}

function candidates(text: string): Set<string> {
  const found = new Set(others);
  for (const [index, length] of LENGTHS.entries()) {
    const map = anchored[index]!;
    if (map.size === 0) continue;
    for (let at = 0; at + length <= text.length; at += 1) for (const part of map.get(text.slice(at, at + length)) ?? []) found.add(part);
  }
  return found;
}

export function clear(): void {
  for (const one of [parts, patterns, others, ...anchored]) one.clear();
}
