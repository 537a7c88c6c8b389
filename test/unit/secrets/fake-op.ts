// The vault as op-js sees it: its spawnSync answered from memory, its words written down. Items that the run creates or edits come from the recorder's stdin.
import childProcess from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { OpError, useOp } from "../../../scripts/lib/secrets/op-calls.ts";
import { accountOf, perform } from "../../../scripts/lib/secrets/op-process.mjs";
import type { StoredItem } from "../../../scripts/lib/secrets/op.ts";

export interface FakeOp {
  /** Command lines of op-js, in order. */
  lines: string[];
  items: StoredItem[];
  /** What it says instead, from the start of a command line: `{ whoami: { err: "…", code: 1 } }`. */
  says: Record<string, { out?: string; err?: string; code?: number }>;
  /** Everything that was given to op-js's children: words and what was set for them in the environment. */
  seen: string[];
}

export function fakeOp(items: StoredItem[] = []): FakeOp {
  const fake: FakeOp = { lines: [], items, says: {}, seen: [] };
  const bin = mkdtempSync(join(tmpdir(), "fake-op-"));
  onTestFinished(() => rmSync(bin, { recursive: true }));
  writeFileSync(join(bin, "op"), "", { mode: 0o755 }); // op-js looks for one before it asks for its version
  vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
  vi.spyOn(childProcess, "spawnSync").mockImplementation(((_file: string, words: string[], { env = {} }: { env?: NodeJS.ProcessEnv }) => {
    const line = words.join(" ");
    fake.lines.push(`op ${line}`);
    fake.seen.push(line, ...Object.entries(env).flatMap(([name, value]) => (process.env[name] === value ? [] : [`${name}=${value}`])));
    const said = Object.entries(fake.says).find(([start]) => line.startsWith(start))?.[1];
    const { out = "", err = "", code = 0 } = said ?? { out: answer(fake, words) };
    return { status: code, stdout: Buffer.from(out), stderr: Buffer.from(err) };
  }) as unknown as typeof childProcess.spawnSync);
  onTestFinished(() => useOp());
  useOp(async (method, ...args) => {
    try {
      return await perform(method, args);
    } catch (error) {
      throw new OpError(accountOf(error));
    }
  });
  return fake;
}

function answer({ items }: FakeOp, words: string[]): string {
  const [command, action, id] = words;
  if (command === "--version") return "2.32.0";
  if (command === "whoami") return JSON.stringify({ url: "https://my.1password.com", email: "operator@example.com" });
  if (command === "item" && action === "list") return JSON.stringify(items.map(({ id, title }) => ({ id, title })));
  if (command === "item" && action === "get") return JSON.stringify(items.find((item) => item.id === id));
  throw new Error(`nobody taught this op: ${words.join(" ")}`);
}

export const item = (title: string, values: Record<string, string>, category = "SECURE_NOTE"): StoredItem => ({
  id: `id-of-${title}`,
  title,
  category,
  fields: Object.entries(values).map(([label, value]) => ({ id: `id-of-${label}`, type: "CONCEALED", label, ...(value && { value }) })),
});
