// Who .sops.yaml encrypts for: whether Flux can decrypt, and how the home's own recipient gets into it.
import { goPattern, PLACEHOLDER, readSopsRules, type SopsRule } from "./sops-rules.ts";

/** A file below kubernetes/, which Flux decrypts. */
const FOR_FLUX = "kubernetes/apps/default/app/app/secret.sops.yaml";

/** The rule that SOPS uses for a path: the first that matches. */
export const ruleFor = (path: string, rules: readonly SopsRule[]): SopsRule | undefined =>
  rules.find(({ path_regex: pattern }) => pattern === undefined || goPattern(pattern).test(path));

/** Every recipient of the rules, each once. */
export const recipientsOf = (rules: readonly SopsRule[]): string[] => [...new Set(rules.flatMap(({ recipients }) => recipients))];

/** `the rule for talos/.*` */
export const nameOfRule = ({ path_regex: pattern, line }: SopsRule) =>
  `.sops.yaml:${line}, ${pattern === undefined ? "the rule for every file" : `the rule for ${pattern}`}`;

/** Why the rules do not fit these age keys (none: a new one will be made), a line each: forms that cannot be read, and files that Flux could not decrypt. */
export function ruleFaults(rules: readonly SopsRule[], vaultRecipients: readonly string[]): string[] {
  const flawed = rules.flatMap((rule) => (rule.flaw === undefined ? [] : [`${nameOfRule(rule)}: ${rule.flaw}`]));
  if (flawed.length > 0) return flawed;
  const rule = ruleFor(FOR_FLUX, rules);
  if (!rule) return [".sops.yaml has no rule for files below kubernetes/"];
  if (rule.placeholders.length > 0 || rule.recipients.some((one) => vaultRecipients.includes(one))) return [];
  const others = rule.recipients.join(", ");
  if (others === "")
    return [`${nameOfRule(rule)}: names no age recipient, so Flux could not decrypt: add ${vaultRecipients.join(", ") || PLACEHOLDER}`];
  const start = `${nameOfRule(rule)}: encrypts for ${others}`;
  return vaultRecipients.length > 0
    ? [
        `${start} and not for ${vaultRecipients.join(", ")}, whose key the vault has, so Flux could not decrypt: add it to the rule, or store the key of ${others} in the vault`,
      ]
    : [`${start}, and the vault has no key: store the key of ${others} in it, or put ${PLACEHOLDER} back if no file is encrypted for it`];
}

/** Rules that name none of these recipients and have no placeholder. */
export const rulesWithout = (rules: readonly SopsRule[], vaultRecipients: readonly string[]) =>
  rules.filter(({ recipients, placeholders }) => placeholders.length === 0 && !recipients.some((one) => vaultRecipients.includes(one)));

/** The same .sops.yaml with `recipient` in place of the placeholder; every other byte stays. */
export async function withRecipient(text: string, recipient: string): Promise<string> {
  const places = new Set((await readSopsRules(text)).flatMap(({ placeholders }) => placeholders)); // an anchor serves several rules
  const written = [...places]
    .toSorted((a, b) => b - a)
    .reduce((rest, at) => `${rest.slice(0, at)}${recipient}${rest.slice(at + PLACEHOLDER.length)}`, text);
  const wrong = (await readSopsRules(written)).filter(({ placeholders, flaw }) => placeholders.length > 0 || flaw !== undefined);
  if (wrong.length > 0) throw new Error(`${nameOfRule(wrong[0]!)}: the placeholder could not be replaced`);
  return written;
}
