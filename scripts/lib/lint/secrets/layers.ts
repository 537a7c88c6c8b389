// The texts that a file holds: its own, and every text that is encoded in it (UTF-16, base64 in any layout, gzip), some levels deep.
import { gunzipSync } from "node:zlib";

/** A text, where it begins in the file, and the bytes that it was decoded from. */
export interface Layer {
  text: string;
  bytes: Buffer;
  /** The line of the file in which something at this index of the text stands. */
  lineAt(index: number): number;
}

const DEPTH = 3;
/** A small compressed file may unpack to gigabytes. */
const MAX_UNPACKED = 32 * 1024 * 1024;

/** The file's own text first, then what is encoded in it. */
export function* layersOf(bytes: Buffer): Generator<Layer> {
  const text = textOf(bytes);
  const starts = lineStarts(text);
  const layer = { text, bytes, lineAt: (index: number) => lineIn(starts, index) };
  yield layer;
  yield* within(layer, DEPTH);
}

function* within({ text, bytes, lineAt }: Layer, depth: number): Generator<Layer> {
  if (depth === 0) return;
  const unpacked = unpack(bytes);
  if (unpacked) yield* encoded(unpacked, lineAt(0), depth);
  for (const { index, run } of base64Runs(text)) for (const decoded of decodings(run)) yield* encoded(decoded, lineAt(index), depth);
}

function* encoded(bytes: Buffer, line: number, depth: number): Generator<Layer> {
  const layer = { text: textOf(bytes), bytes, lineAt: () => line };
  yield layer;
  yield* within(layer, depth - 1);
}

/** Base64 of at least 30 bytes, of both alphabets; it may go on over lines, escaped line ends, or the quotes and commas of a list. */
const RUN = /[A-Za-z0-9+/_-]{40,}(?:(?:[ \t]*(?:\r?\n|\\+[nr])|["'`,+#>|\\]|[ \t]){1,40}[A-Za-z0-9+/_-]{8,})*/g;
const BREAKS = /\\+[nr]|[^A-Za-z0-9+/_-]+/g;

function* base64Runs(text: string): Generator<{ index: number; run: string }> {
  for (const found of text.matchAll(RUN)) yield { index: found.index, run: found[0].replace(BREAKS, "") };
}

/** What a run says when its base64 begins at its first, second, third or fourth character: a path or a name may stand directly before it. */
function decodings(run: string): Buffer[] {
  return [0, 1, 2, 3].map((offset) => Buffer.from(run.slice(offset), "base64")).filter(isWorthReading);
}

/** A text, a compressed file, a DER structure, or bytes with a PEM block among them; everything else is a hash or an image. */
const isWorthReading = (bytes: Buffer) =>
  isGzip(bytes) || bytes[0] === 0x30 || bytes.includes("PRIVATE KEY") || mostlyPrintable(bytes.subarray(0, 48).toString("latin1"));

const mostlyPrintable = (text: string) => [...text].filter((letter) => /[\x20-\x7e\n\r\t]/.test(letter)).length >= text.length * 0.9;

const isGzip = (bytes: Buffer) => bytes[0] === 0x1f && bytes[1] === 0x8b;

function unpack(bytes: Buffer): Buffer | undefined {
  if (!isGzip(bytes)) return undefined;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch {
    return undefined; // two bytes that look like gzip, or a file that is cut short
  }
}

/** The bytes as a text: UTF-16 by its mark or by its zero bytes, otherwise UTF-8. Binary content stays searchable: its ASCII parts survive. */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString("utf16le");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return bigEndian(bytes.subarray(2));
  const head = bytes.subarray(0, 512);
  const zeros = (from: number) => head.filter((byte, index) => index % 2 === from && byte === 0).length;
  if (head.length >= 4 && zeros(1) > head.length * 0.4) return bytes.toString("utf16le");
  if (head.length >= 4 && zeros(0) > head.length * 0.4) return bigEndian(bytes);
  return bytes.toString("utf8");
}

const bigEndian = (bytes: Buffer) =>
  Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString("utf16le");

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineIn(starts: readonly number[], index: number): number {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= index) low = middle;
    else high = middle;
  }
  return low + 1;
}
