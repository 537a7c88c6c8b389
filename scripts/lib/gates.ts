// The checks that a person may pass by name with WAIVE=, in one list: a name that is none of them would waive nothing and say nothing.
import { UsageError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** The preflight's checks, a sick pool (vm:deploy), a quorum that would go (talos:apply), a machine without a NIC's word, what is not pushed (flux:sync). */
const PREFLIGHT = ["tools", "1password", "secrets", "age-key", "configs", "kubernetes", "nodes", "installer", "hosts", "clock"];
export const GATES: readonly string[] = [...PREFLIGHT, "pool", "quorum", "nic", "git"];

/** The names in `WAIVE=a,b`; one that no procedure knows is refused. */
export function readGates(text: string | undefined): string[] {
  const names = (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  for (const name of names) {
    if (GATES.includes(name)) continue;
    const close = nearest(name, GATES);
    throw new UsageError(
      `--waive (WAIVE=) does not know "${name}"${close ? `; did you mean ${close}?` : ""}\n  checks: ${PREFLIGHT.join(" ")}\n          ${GATES.slice(PREFLIGHT.length).join(" ")}`,
    );
  }
  return names;
}
