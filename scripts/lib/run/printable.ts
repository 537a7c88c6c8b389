// Makes external text safe for a terminal or a file: removes everything that moves the cursor, sets colours, or reorders the line.
import { stripVTControlCharacters } from "node:util";

/** C0 except tab and line feed, DEL, C1. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g; // oxlint-disable-line no-control-regex -- they are what is looked for
/** Marks, embeddings, overrides and isolates of the bidirectional algorithm, line and paragraph separators, invisible characters. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Escape sequences that stripVTControlCharacters leaves: texts for the terminal (OSC, DCS, APC, PM, SOS) that end with BEL or ST, or never. */
const SEQUENCES = /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?/g; // oxlint-disable-line no-control-regex -- see above

/** The text without control characters; a carriage return starts a new line instead of overwriting one. */
export function printable(text: string): string {
  if (!/[^\t\n\u0020-\u007e]/.test(text)) return text;
  const lines = text.replace(/\r+\n?/g, "\n");
  return stripVTControlCharacters(lines.replace(SEQUENCES, "")).replace(CONTROLS, "").replace(INVISIBLE, "");
}
