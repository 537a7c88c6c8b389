// Text from outside cannot move the cursor, colour the terminal, or show letters in another order than they stand.
import { expect, test } from "vitest";
import { printable } from "../../../scripts/lib/run/printable.ts";

test.each([
  ["colours", "\u001b[31mred\u001b[0m text", "red text"],
  ["the cursor", "kept\u001b[2K\u001b[1G\u001b[Agone?", "keptgone?"],
  ["a window title", "a\u001b]0;evil title\u0007b", "ab"],
  ["a link", "a\u001b]8;;https://evil.example\u001b\\text\u001b]8;;\u001b\\b", "atextb"],
  ["a device control string", "a\u001bPq#0;evil\u001b\\b", "ab"],
  ["a sequence that never ends", "a\u001b]0;evil\nnext line", "a\nnext line"],
  ["C1 sequences", "a\u009b31mb\u009d0;evil\u009cc", "abc"],
  ["backspaces and bells", "root\b\b\b\bother\u0007", "rootother"],
  ["a carriage return", "could not x\rok", "could not x\nok"],
  ["Windows line ends", "a\r\nb", "a\nb"],
  ["bidirectional overrides", "user\u202egnp.exe\u2066x\u2069\u200f", "usergnp.exex"],
  ["invisible characters", "a\u200bb\ufeffc\u2028d", "abcd"],
])("%s", (_, text, seen) => expect(printable(text)).toBe(seen));

test.each(["plain", "two\n\tlines", "Zürich € 日本語 🔑 👩‍💻", "→ … ✓"])("%s stays as it is", (text) => expect(printable(text)).toBe(text));
