// A secret that the run has seen is hidden in every form in which tools, encoders and shells write it.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { forgetSecrets, hide, holdsSecret, redact, redactData, toJson } from "../../../scripts/lib/run/redact.ts";

afterEach(forgetSecrets);

/** Values as vaults hold them: with quotes, backslashes, line ends, spaces, signs of URLs and HTML, letters beyond ASCII. */
const VALUES: Record<string, string> = {
  plain: "hunter2-hunter2-hunter2",
  quotes: `a"b'c\`d"e-hunter2`,
  backslashes: String.raw`C:\new\table\\x hunter2`,
  lines: "first line of it\nsecond line\tof it\r\nlast line of it",
  signs: "p@ss/w:rd?x=1&y=<2>+3%#hunter2 $HOME ~!{}[]()*|;",
  accents: "pässwörd-Zürich-€-🔑-hunter2",
  key: generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey,
};

const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");
const wrapped = (text: string, width: number, end = "\n", indent = "") =>
  text.match(new RegExp(`.{1,${width}}`, "g"))!.join(`${end}${indent}`);
const json = (text: string) => JSON.stringify(text).slice(1, -1);
/** As Go's encoding/json writes it. */
const goJson = (text: string) => json(text).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
/** As Go's %+q writes it: ASCII only. */
const goAscii = (text: string) =>
  [...json(text)]
    .map((letter) => {
      const code = letter.codePointAt(0)!;
      if (code < 127) return letter;
      return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    })
    .join("");
const octal = (text: string) =>
  [...Buffer.from(text)].map((byte) => (byte < 127 ? String.fromCharCode(byte) : `\\${byte.toString(8)}`)).join("");

const FORMS: Record<string, (value: string) => string> = {
  raw: (value) => value,
  "JSON-escaped": json,
  "JSON in JSON": (value) => json(json(value)),
  "JSON in JSON in JSON": (value) => json(json(json(value))),
  "Go's JSON": goJson,
  "Go's %+q": goAscii,
  "octal escapes": octal,
  "URL-encoded": encodeURIComponent,
  "URL-encoded, lower case": (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
  "URL-encoded twice": (value) => encodeURIComponent(encodeURIComponent(value)),
  "a form's value": (value) => new URLSearchParams({ x: value }).toString().slice(2),
  "quoted for a shell": (value) => value.replaceAll("'", String.raw`'\''`),
  "quoted for YAML": (value) => value.replaceAll("'", "''"),
  "in HTML": (value) =>
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&#34;").replaceAll("'", "&#39;"),
  "in one line": (value) => value.replace(/\s+/g, " "),
  indented: (value) => value.replaceAll("\n", "\n        "),
  base64,
  "base64 without padding": (value) => base64(value).replace(/=+$/, ""),
  "base64 for URLs": (value) => Buffer.from(value).toString("base64url"),
  "base64 in a URL": (value) => encodeURIComponent(base64(value)),
  "base64 of its JSON": (value) => base64(`{"x":"${json(value)}"}`),
};
for (const width of [64, 76]) {
  FORMS[`base64 wrapped at ${width}`] = (value) => wrapped(base64(`${value}${value}`), width);
  FORMS[`base64 wrapped at ${width} and indented`] = (value) => wrapped(base64(`${value}${value}`), width, "\r\n", "    ");
  FORMS[`base64 wrapped at ${width} and escaped`] = (value) => wrapped(base64(`${value}${value}`), width, "\\n");
}
for (const before of [1, 2, 3]) {
  FORMS[`base64 behind ${before} bytes`] = (value) => base64(`${"x".repeat(before)}${value}y`);
  FORMS[`base64 in base64 behind ${before} bytes`] = (value) =>
    base64(`${"x".repeat(before)}${base64(`${"x".repeat(4 - before)}${value}`)}`);
  FORMS[`wrapped base64 in wrapped base64 behind ${before} bytes`] = (value) =>
    wrapped(base64(`${"-".repeat(before)} ${wrapped(base64(value), 64)}\n`), 76);
}

/** What is left of a secret: any five letters or digits in a row that it has, in the text and in everything it decodes to. */
const piecesOf = (value: string) => value.match(/[A-Za-z0-9]{5,}/g)!.filter((piece) => !/^(BEGIN|PRIVATE|END)$/.test(piece));

describe.each(Object.entries(VALUES))("a value with %s", (_, value) => {
  test.each(Object.entries(FORMS))("is hidden as %s", (_name, form) => {
    hide([value]);
    for (const text of [form(value), `before "${form(value)}" after`, `x=${form(value)},`]) {
      const seen = redact(text);
      expect(seen).toContain("********");
      for (const piece of piecesOf(form(value))) expect(seen).not.toContain(piece);
    }
  });
});

test("lines of wrapped base64 are hidden one by one", () => {
  const value = VALUES.key!;
  hide([value]);
  for (const line of wrapped(base64(`apiVersion: v1\n${value}`), 64)
    .split("\n")
    .slice(1, -1))
    expect(redact(line)).toBe("********");
});
test("what a value decodes to, and the texts in a JSON value, are secrets as well", () => {
  const credentials = JSON.stringify({ version: "2", data: "inner-secret-of-it-0123" });
  hide([base64(`decoded secret of it`), credentials]);
  expect(redact("decoded secret of it")).toBe("********");
  expect(redact('{"data": "inner-secret-of-it-0123"}')).toBe('{"data": "********"}');
  expect(redact("version 2")).toBe("version 2");
});
test("a value is hidden though control characters stand in it, or were in it", () => {
  hide(["hunter2-hunter2", "with\u001bescape\u0007bell"]);
  expect(redact("hunter2\u001b[0m-hun\u200bter2")).toBe("********");
  expect(redact("with\u001bescape\u0007bell")).not.toContain("bell");
});
test("everything around it stays", () => {
  hide(["hunter2-hunter2"]);
  expect(redact(`the node said hunter2-hunter2: not found\n  next: task x`)).toBe("the node said ********: not found\n  next: task x");
  expect(redact(`data: ${base64("hunter2-hunter2")}\nkind: Secret`)).toBe("data: ********\nkind: Secret");
});
test("texts without a secret are not touched", () => {
  hide(Object.values(VALUES));
  const text = `kubernetes/apps/media/app: ${base64("just a text that nobody hides")}\n${randomBytes(300).toString("base64")}\n/etc/ssl/certs/ca.pem`;
  expect(redact(text)).toBe(text);
  expect(holdsSecret(text)).toBe(false);
  expect(holdsSecret(base64(`x${VALUES.quotes}`))).toBe(true);
});
test("what is called a password is hidden, known or not", () => {
  expect(redact('{"password": "a\\"b c", "user": "x"}')).toBe('{"password": "********", "user": "x"}');
  expect(redact(String.raw`said {\"token\":\"a\\\"b\",\"x\":1}`)).toBe(String.raw`said {\"token\":\"********\",\"x\":1}`);
  expect(redact("token=abc&x=1 password: true")).toBe("token=********&x=1 password: true");
});
test("references, and what stands in the next line, are no password", () => {
  for (const text of ["token: op://vault/item/field", 'password: "${PASSWORD}"', "token: {{ ref(1) }}", "token:\n  name: x"])
    expect(redact(text)).toBe(text);
});
test("data loses only what the run has seen", () => {
  hide(["hunter2-hunter2"]);
  expect(redactData("password: changed\ntoken: hunter2-hunter2")).toBe("password: changed\ntoken: ********");
  expect(toJson({ password: "changed", token: "hunter2-hunter2" }, { data: true })).toBe('{"password":"changed","token":"********"}');
});
test("JSON is redacted before it is escaped: values, names, texts in lists", () => {
  const value = VALUES.quotes!;
  hide([value]);
  const text = toJson({ said: `x ${value}`, list: [{ [value]: 1 }], token: "anything", at: new Date(0), none: null });
  expect(JSON.parse(text)).toEqual({
    said: "x ********",
    list: [{ "********": 1 }],
    token: "********",
    at: "1970-01-01T00:00:00.000Z",
    none: null,
  });
});
