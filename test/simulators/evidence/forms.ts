// The forms in which a secret may appear. They are independent of the product's redaction, which they test.

/** What a kubeconfig says besides its certificates and key: names, and the server that cluster.yaml names too. */
const PLAIN = /^(- )?[\w-]+: .{0,80}$/;

/** Texts to look for: the value, its lines, what it decodes to, its tell-tale parts, each raw, escaped, URL-encoded, and in base64 at each byte offset and once more in base64. */
export function formsOf(value: string): string[] {
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? Buffer.from(value, "base64").toString() : "";
  const readable = /^[\x20-\x7e\n\r\t]+$/.test(decoded) ? decoded : "";
  const texts = [value, readable].filter((text) => text !== "");
  const lines = texts
    .flatMap((text) => text.split("\n"))
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("-----") && line.length >= 16 && !(value.includes("kind: Config") && PLAIN.test(line)));
  const telling = texts.flatMap((text) => text.match(/taint-[a-z0-9-]+/g) ?? []);
  const raw = [...new Set([value, ...lines, ...telling])];
  const written = [...new Set([...raw, ...raw.flatMap(escaped), ...raw.flatMap(urlEncoded)])];
  const cores = written.flatMap(base64Cores);
  return [...new Set([...written, ...cores, ...raw.flatMap(base64Cores).flatMap(base64Cores)])].filter((form) => form.length >= 8);
}

/** As JSON and Go's %q write it, once to three times over; as YAML and a shell quote it. */
function escaped(text: string): string[] {
  const once = JSON.stringify(text).slice(1, -1);
  const twice = JSON.stringify(once).slice(1, -1);
  const forGo = once.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  return [once, twice, JSON.stringify(twice).slice(1, -1), forGo, text.replaceAll("'", "''"), text.replaceAll("'", String.raw`'\''`)];
}

const urlEncoded = (text: string) => [
  encodeURIComponent(text),
  encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  new URLSearchParams({ x: text }).toString().slice(2),
];

/** The letters of its base64 that depend on nothing that stands before or behind it. */
function base64Cores(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const from = Math.ceil((offset * 8) / 6);
    return whole.slice(from, Math.floor(((offset + bytes.length) * 8) / 6));
  });
}

/** A text to search, and the same without line ends and white space: base64 may be wrapped at a column. */
export interface Searched {
  text: string;
  joined: string;
}

export const searched = (text: string): Searched => ({ text, joined: text.replace(/\s+|(?:\\+[nr])+/g, "") });

/** Returns a function that says whether a text contains the value in any form. The forms are made once. */
export function finderOf(value: string): (text: string | Searched) => boolean {
  const forms = formsOf(value);
  const wrapped = forms.filter((form) => /^[A-Za-z0-9+/]+$/.test(form));
  return (where) => {
    const { text, joined } = typeof where === "string" ? searched(where) : where;
    return forms.some((form) => text.includes(form)) || (joined !== text && wrapped.some((form) => joined.includes(form)));
  };
}
