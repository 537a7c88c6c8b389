// The vault of a run: it resolves references to values. The values come from a Source, such as the 1Password command line.
import { setImmediate } from "node:timers/promises";
import { effectsSoFar } from "../run/effects.ts";
import { Failure } from "../run/errors.ts";
import { hide } from "../run/redact.ts";
import type { Known } from "./entries.ts";
import { fromOp } from "./inject.ts";
import { modeOf } from "./mode.ts";
import { parseReference, refuseMalformed } from "./reference.ts";
import { unresolvedLines } from "./unresolved.ts";
import type { Resolution, Source } from "./source.ts";

export interface Vault {
  /** Values of these `op://` references, resolved by one `op inject` for all that are not known yet. Every value is hidden from output from then on. */
  resolve(references: Iterable<string>): Promise<Map<string, string>>;
}

/** Opens the vault of a run. It remembers values, and resolves simultaneous requests together. `known` tells which values are public and who creates missing ones. */
export function openVault(env: NodeJS.ProcessEnv, known: () => Promise<Known>, source: Source = fromOp): Vault {
  const values = new Map<string, string>();
  const underWay = new Map<string, Promise<Map<string, Resolution>>>();
  let gathering: string[] | undefined;
  let next: Promise<Map<string, Resolution>> | undefined;

  const fetch = (reference: string): Promise<Map<string, Resolution>> => {
    const running = underWay.get(reference);
    if (running) return running;
    if (!gathering || !next) {
      const batch: string[] = (gathering = []);
      next = setImmediate().then(() => {
        gathering = undefined;
        return fetchAll(batch);
      });
    }
    gathering.push(reference);
    underWay.set(reference, next);
    return next;
  };
  const fetchAll = async (batch: string[]) => {
    try {
      const answers = await lookUp(batch, await known(), source);
      for (const [reference, answer] of answers) if ("value" in answer) values.set(reference, answer.value);
      return answers;
    } finally {
      for (const reference of batch) underWay.delete(reference);
    }
  };

  return {
    async resolve(references) {
      const wanted = [...new Set(references)];
      refuseMalformed(wanted);
      modeOf(env);
      const answers = new Map<string, Resolution>();
      const batches = new Set(wanted.filter((reference) => !values.has(reference)).map(fetch));
      for (const batch of await Promise.all(batches)) for (const [reference, answer] of batch) answers.set(reference, answer);
      const missing = wanted.filter((reference) => !values.has(reference));
      if (missing.length > 0) throw unresolved(missing, answers, await known());
      return new Map(wanted.map((reference) => [reference, values.get(reference)!]));
    },
  };
}

/** Returns an answer for each reference, without failing for missing ones. Output redacts all values that are not public. */
export async function lookUp(
  references: readonly string[],
  known: Pick<Known, "isPublic">,
  source: Source = fromOp,
): Promise<Map<string, Resolution>> {
  refuseMalformed(references);
  if (references.length === 0) return new Map();
  const answers = await source(references);
  hide(
    [...answers].flatMap(([reference, answer]) => ("value" in answer && !known.isPublic(parseReference(reference)) ? [answer.value] : [])),
  );
  return answers;
}

/** Lists every item with missing fields, the reasons, and who creates them. */
function unresolved(references: string[], answers: Map<string, Resolution>, known: Known): Failure {
  const many = references.length === 1 ? "1 reference" : `${references.length} references`;
  return new Failure({
    attempted: `resolve ${many} in 1Password`,
    said: unresolvedLines(references, answers, known).join("\n"),
    now: effectsSoFar() === 0 ? "nothing was changed" : undefined,
    next: "task secrets:init, fill in what only you can fetch, then the same command again",
  });
}
