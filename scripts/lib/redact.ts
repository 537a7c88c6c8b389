// Keeps every secret that this run has seen out of lines, files and errors.

const known = new Set<string>();
let pattern: RegExp | undefined;

/** From now on these values never appear in anything that passes `redact`. Values under 6 characters are too common to hide. */
export function hide(values: Iterable<string>): void {
  for (const value of values) {
    for (const form of [value, ...value.split("\n").map((line) => line.trim())]) if (form.length >= 6) known.add(form);
    if (value.length >= 6) known.add(Buffer.from(value).toString("base64"));
  }
  pattern = undefined;
}

/** The same text with every known secret, and what looks like a password in JSON or YAML, replaced by ********. */
export function redact(text: string): string {
  if (known.size > 0) {
    pattern ??= new RegExp(
      [...known]
        .sort((a, b) => b.length - a.length)
        .map(escape)
        .join("|"),
      "g",
    );
    text = text.replace(pattern, "********");
  }
  return text.replace(/("?(?:password|api_key|token)"?\s*[:=]\s*)("(?:[^"\\]|\\.)+"|[^\s",}]+)/gi, (whole, key: string, value: string) =>
    /^"?(\*+|null|true|false)"?$/.test(value) ? whole : `${key}${value.startsWith('"') ? '"********"' : "********"}`,
  );
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** For tests: as if nothing had been seen. */
export function forgetSecrets(): void {
  known.clear();
  pattern = undefined;
}
