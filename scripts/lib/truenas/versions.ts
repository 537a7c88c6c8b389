// Chooses the TrueNAS API version: the newest that both sides support. A server also serves older versions.
import { Failure } from "../run/errors.ts";

/** The VM methods returned in 25.04.2. */
const OLDEST = [25, 4, 2];
/** The newest major version that this client was tested against. */
const NEWEST_MAJOR = 27;

export interface Api {
  /** `v25.10.5`, or `current` when no supported version is offered. */
  version: string;
  warning?: string;
}

/** Chooses from what `GET /api/versions` lists. Throws a Failure when TrueNAS is too old. */
export function chooseApi(listed: readonly string[]): Api {
  const known = listed
    .map((name) => ({ name, parts: parse(name) }))
    .filter(({ parts }) => parts.length >= 2)
    .sort((a, b) => compare(b.parts, a.parts));
  const fit = known.find(({ parts }) => parts[0]! <= NEWEST_MAJOR && compare(parts, OLDEST) >= 0);
  if (fit) return { version: fit.name };
  const newest = known[0];
  if (newest && newest.parts[0]! > NEWEST_MAJOR)
    return {
      version: "current",
      warning: `TrueNAS offers only API versions newer than this client supports (${newest.name}): using the current version`,
    };
  throw new Failure({
    attempted: "find a supported TrueNAS API version",
    said: `it offers ${listed.join(", ") || "none"}; 25.04.0 and 25.04.1 have no VM methods, older versions have no JSON-RPC`,
    next: "update TrueNAS to 25.04.2 or newer",
  });
}

const parse = (name: string) => (/^v\d+(\.\d+)+$/.test(name) ? name.slice(1).split(".").map(Number) : []);

function compare(a: number[], b: number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
