// Keeps every secret that this run has read out of lines, files, results and errors, in every form.
import { base64RunsOf, bytesToLetters, GRAM, gramsOf } from "./redact-base64.ts";
import { add, allParts, clear, find, isEmpty, type Range } from "./redact-known.ts";
import { printable } from "./printable.ts";

export const HIDDEN = "********";

let grams: Set<string> | undefined;

/** Hides these values in everything that passes through `redact` or `toJson` from now on. Values under 6 characters are too common to hide. */
export function hide(values: Iterable<string>): void {
  for (const value of values) for (const form of [value, printable(value)]) add(form);
  grams = undefined;
}

/** Makes a text safe to print or store: removes control characters and known secrets, and replaces values named like a password with ********. */
export const redact = (text: string): string => named(redactData(text));

/** The same for data, without the names: a rendered manifest must not change, so only secrets that the run has read are replaced. */
export const redactData = (text: string): string => replaceRanges(printable(text));

/** JSON of a value. Its strings are redacted before they are escaped. */
export const toJson = (value: unknown, { space, data = false }: { space?: number; data?: boolean } = {}): string => {
  const shown = data ? redactData : redact;
  return JSON.stringify(
    value,
    (key, inner: unknown) => {
      if (typeof inner === "string") return !data && SECRET_NAME.test(key) && inner !== "" ? HIDDEN : shown(inner);
      const isMap = inner !== null && typeof inner === "object" && !Array.isArray(inner);
      return isMap ? Object.fromEntries(Object.entries(inner).map(([name, one]) => [shown(name), one])) : inner;
    },
    space,
  );
};

/** Whether a text contains a secret that this run has read. */
export const holdsSecret = (text: string) => rangesOf(text, DEPTH).length > 0;

/** Base64 inside base64 inside base64: a kubeconfig in a Secret in a Helm release. */
const DEPTH = 3;

function replaceRanges(text: string): string {
  if (isEmpty()) return text;
  const ranges = rangesOf(text, DEPTH).toSorted((a, b) => a[0] - b[0]);
  let result = "";
  let done = 0;
  for (const [start, end] of ranges) {
    if (end <= done) continue;
    if (start >= done) result += `${text.slice(done, start)}${HIDDEN}`;
    done = end;
  }
  return result + text.slice(done);
}

/** The positions of known secrets, plain or in base64. */
function rangesOf(text: string, depth: number): Range[] {
  if (isEmpty()) return [];
  const ranges = find(text);
  if (depth === 0) return ranges;
  for (const run of base64RunsOf(text)) {
    for (const { decoded, offset } of run.decodings)
      for (const range of [...rangesOf(decoded, depth - 1), ...pieces(decoded)]) ranges.push(run.place(bytesToLetters(range, offset)));
  }
  return ranges;
}

/** Parts of known secrets in decoded base64, because one line of a wrapped block does not contain the whole value. */
function pieces(decoded: string): Range[] {
  if (decoded.length < GRAM) return [];
  grams ??= new Set([...allParts()].flatMap(gramsOf));
  if (grams.size === 0) return [];
  const found: Range[] = [];
  for (let at = 0; at + GRAM <= decoded.length; at += 1) if (grams.has(decoded.slice(at, at + GRAM))) found.push([at, at + GRAM]);
  return found.length === 0 ? [] : [[0, decoded.length]];
}

const SECRET_NAME = /^(?:password|passwd|passphrase|api_key|token|access_token|client_secret)$/i;
/** `"token": "…"`, `token=…`, also inside escaped JSON. */
const NAMED =
  /((?:\\*["'])?\b(?:password|passwd|passphrase|api_key|token|access_token|client_secret)(?:\\*["'])?[ \t]*[:=][ \t]*)(?:(\\*["'])(|[\s\S]*?[^\\])\2|([^\s"',}\\&]+))/gi;

const named = (text: string) =>
  text.replace(NAMED, (whole, name: string, quote: string | undefined, quoted: string | undefined, bare: string | undefined) => {
    const value = quoted ?? bare ?? "";
    if (value === "" || /^(?:\*+|null|true|false)$|^(?:op:\/\/|\$|\{\{|<)/.test(value)) return whole; // hidden already, or a reference
    return `${name}${quote ?? ""}${HIDDEN}${quote ?? ""}`;
  });

/** For tests: forgets all secrets. */
export function forgetSecrets(): void {
  clear();
  grams = undefined;
}
