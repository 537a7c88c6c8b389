// Resolves all references of a run with one `op inject`. If that fails, it reads each reference separately, so that the error can name every missing one.
import { randomBytes } from "node:crypto";
import { Failure } from "../run/errors.ts";
import { ask } from "../run/shell.ts";
import { parseReference } from "./reference.ts";
import { meansNoItem, plain, troubleOf } from "./op-error.ts";
import { patient } from "../run/patience.ts";
import type { Resolution, Source } from "./source.ts";

const INJECT_DEADLINE = "60s"; // the app may ask for a fingerprint first
const READ_DEADLINE = "20s";
const PROBES_AT_ONCE = 6;
const PROBE_SECONDS = 90;

/**
 * Reads values from 1Password with `op`, in the mode that the environment selects: signed in, service account or Connect.
 * 1Password documents spaces in references for `op read` and not for `op inject`: where inject fails, it gets those without, and read the others.
 */
export const fromOp: Source = async (references) => {
  const attempted = `resolve ${references.length} references in 1Password`;
  const all = await injected(references, attempted);
  if (all) return all;
  const [spaced, others] = [references.filter(hasSpace), references.filter((reference) => !hasSpace(reference))];
  const some = spaced.length > 0 && others.length > 0 ? await injected(others, attempted) : undefined;
  return some ? new Map([...some, ...(await probe(spaced, attempted))]) : probe(references, attempted);
};

const hasSpace = (reference: string) => reference.includes(" ");

/** The values that one `op inject` inserts; undefined if it could not insert all of them. */
async function injected(references: readonly string[], attempted: string): Promise<Map<string, Resolution> | undefined> {
  const nonce = randomBytes(16).toString("hex");
  const got = await ask({ input: template(references, nonce), timeout: INJECT_DEADLINE })`cat | op inject`.nothrow();
  if (got.exitCode === 0) {
    const values = readBack(got.stdout, references, nonce);
    return values && new Map(references.map((reference, index) => [reference, answer(values[index]!)]));
  }
  const trouble = troubleOf({ text: got.stderr, exitCode: got.exitCode, signal: got.signal }, attempted);
  if (trouble) throw trouble;
  return undefined;
}

const answer = (value: string): Resolution => (value === "" ? { missing: "the field has no value" } : { value });

/** A secret can contain any text, so each value is enclosed by lines with a random number. */
export const template = (references: readonly string[], nonce: string) =>
  references.map((reference, index) => `BEGIN ${nonce} ${index}\n{{ ${reference} }}\nEND ${nonce} ${index}\n`).join("");

/** The values between these lines; undefined if one is missing or was not replaced. */
export function readBack(text: string, references: readonly string[], nonce: string): string[] | undefined {
  const values: string[] = [];
  let from = 0;
  for (const [index, reference] of references.entries()) {
    const begin = `BEGIN ${nonce} ${index}\n`;
    const start = text.indexOf(begin, from);
    const end = text.indexOf(`\nEND ${nonce} ${index}\n`, start);
    if (start < 0 || end < 0) return undefined;
    const value = text.slice(start + begin.length, Math.max(end, start + begin.length));
    if (value === `{{ ${reference} }}`) return undefined;
    values.push(value);
    from = end;
  }
  return values;
}

/** Reads one field of each item first: if the item is missing, its other fields are not read. */
async function probe(references: readonly string[], attempted: string): Promise<Map<string, Resolution>> {
  const { default: limit } = await import("p-limit");
  const atOnce = limit(PROBES_AT_ONCE);
  const until = performance.now() + patient(PROBE_SECONDS) * 1000;
  const answers = new Map<string, Resolution>();
  const wave = (some: readonly string[]) =>
    Promise.all(some.map((reference) => atOnce(async () => void answers.set(reference, await read(reference, attempted, until)))));
  const byItem = group(references);
  await wave([...byItem.values()].map(([first]) => first!));
  const rest = [...byItem.values()].flatMap(([first, ...others]) => {
    const said = answers.get(first!)!;
    if (!("missing" in said) || !meansNoItem(said.missing)) return others;
    for (const other of others) answers.set(other, said);
    return [];
  });
  await wave(rest);
  return answers;
}

async function read(reference: string, attempted: string, until: number): Promise<Resolution> {
  if (performance.now() > until) return { missing: `not asked: ${patient(PROBE_SECONDS)} seconds were over` };
  const got = await ask({ timeout: READ_DEADLINE })`op read --no-newline ${reference}`.nothrow();
  if (got.exitCode === 0) return answer(got.stdout);
  const trouble = troubleOf({ text: got.stderr, exitCode: got.exitCode, signal: got.signal }, attempted);
  if (trouble) throw trouble;
  if (!got.stderr.trim())
    throw new Failure({ attempted, said: `op ended with ${got.exitCode} and no word`, next: "the same command again" });
  return { missing: reasonIn(got.stderr) };
}

/** The reason without the reference: the reason for an item applies to each of its fields. */
const reasonIn = (stderr: string) => plain(stderr).replace(/^could not read secret '?op:\/\/[^:']*'?: */, "");

const itemOf = (reference: string) => {
  const { vault, item } = parseReference(reference);
  return `${vault}/${item}`;
};

function group(references: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const reference of references) groups.set(itemOf(reference), [...(groups.get(itemOf(reference)) ?? []), reference]);
  return groups;
}
