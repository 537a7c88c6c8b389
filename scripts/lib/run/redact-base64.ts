// Finds base64 in a text, also if it is wrapped or escaped, and decodes it at each of the four possible offsets.
import type { Range } from "./redact-known.ts";

export interface Base64Run {
  /** The bytes from each of the first four letters on, one character per byte, because the base64 may begin anywhere inside a longer word. */
  decodings: { decoded: string; offset: number }[];
  /** Converts a range of the run's letters, without line ends, to a range of the text. */
  place(letters: Range): Range;
}

const LETTER = String.raw`(?:[A-Za-z0-9+/_-]|%2[BbFf]|\\+/|\\+u002[BbFf])`;
/** Line ends with indentation, raw or escaped. */
const BREAK = String.raw`(?:[ \t]*(?:\r?\n|\\+r\\+n|\\+[nr]|%0[Dd]%0[Aa]|%0[Aa])[ \t]*)`;
const RUN = new RegExp(`${LETTER}{8,}(?:${BREAK}${LETTER}+)*`, "g");
const PIECE = new RegExp(`${LETTER}|${BREAK}`, "g");

export function* base64RunsOf(text: string): Generator<Base64Run> {
  for (const { index, 0: whole } of text.matchAll(RUN)) {
    const { letters, places } = lettersOf(whole);
    yield {
      decodings: [0, 1, 2, 3].map((offset) => ({ decoded: Buffer.from(letters.slice(offset), "base64").toString("latin1"), offset })),
      place: ([start, end]) => [index + places(start)[0], index + places(Math.min(end, letters.length) - 1)[1]],
    };
  }
}

/** The letters of a run without its line ends, and the position of each. */
function lettersOf(whole: string): { letters: string; places(letter: number): Range } {
  if (/^[A-Za-z0-9+/_-]*$/.test(whole)) return { letters: whole, places: (letter) => [letter, letter + 1] };
  const places: Range[] = [];
  let letters = "";
  for (const { index, 0: piece } of whole.matchAll(PIECE)) {
    const letter = piece.length === 1 ? piece.trim() : (ESCAPED[piece.replace(/^\\+/, "").toLowerCase()] ?? "");
    letters += letter;
    if (letter !== "") places.push([index, index + piece.length]);
  }
  return { letters, places: (letter) => places[letter]! };
}

const ESCAPED: Record<string, string> = { "%2b": "+", "%2f": "/", "/": "/", u002b: "+", u002f: "/" };

/** The letters that hold these bytes. */
export const bytesToLetters = ([start, end]: Range, offset: number): Range => [
  offset + Math.floor((start * 8) / 6),
  offset + Math.floor(((end - 1) * 8 + 7) / 6) + 1,
];

/** This many consecutive bytes of a secret count as the secret. */
export const GRAM = 16;
const STEP = 8;

/** Samples of a value: any 24 consecutive bytes of it contain one of them. */
export function gramsOf(value: string): string[] {
  const bytes = Buffer.from(value).toString("latin1");
  const grams: string[] = [];
  for (let at = 0; at + GRAM <= bytes.length; at += STEP) grams.push(bytes.slice(at, at + GRAM));
  return grams.filter((gram) => !gram.includes("-----"));
}
