// The age key that SOPS files are encrypted for, and the check that the vault, .sops.yaml and the key file agree.
import { join } from "node:path";
import { reference } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { recipientsOf, ruleFaults } from "../tree/sops.ts";
import { readSopsRules } from "../tree/sops-rules.ts";
import { hide } from "../run/redact.ts";

/** The field of the private key; the bootstrap copies it into the cluster as sops-age-secret. */
export const AGE_KEY = { item: "sops", field: "SOPS_PRIVATE_KEY" } as const;

/** A new identity, `AGE-SECRET-KEY-1…`. */
export async function newIdentity(): Promise<string> {
  const { generateX25519Identity } = await import("age-encryption");
  const identity = await generateX25519Identity();
  hide([identity]);
  return identity;
}

/** The public keys of a key file, one for each identity; comments are ignored. Empty if the file contains no readable identity. */
export async function recipientsOfKeys(keyFile: string): Promise<string[]> {
  const identities = keyFile
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length === 0) return [];
  const { identityToRecipient } = await import("age-encryption");
  const recipients = await Promise.all(identities.map((identity) => identityToRecipient(identity).catch(() => undefined)));
  return recipients.filter((recipient) => recipient !== undefined);
}

/** The disagreements between the key in the vault and the other places that name it, one per line. */
export async function ageDisagreements({
  root,
  cluster,
  env,
  vault,
}: Pick<Context, "root" | "cluster" | "env" | "vault">): Promise<{ recipients: string[]; wrong: string[] }> {
  const key = reference(cluster, AGE_KEY.item, AGE_KEY.field);
  const held = await recipientsOfKeys((await vault.resolve([key])).get(key)!);
  if (held.length === 0) return { recipients: [], wrong: [`${key} holds no age identity (a line AGE-SECRET-KEY-1…)`] };
  const sops = await readIfThere(join(root, ".sops.yaml"));
  const rules = sops === undefined ? [] : await readSopsRules(sops);
  const faults = sops === undefined ? [".sops.yaml is missing: git restore .sops.yaml"] : ruleFaults(rules, held);
  const keyFile = env.SOPS_AGE_KEY_FILE!;
  const text = await readIfThere(keyFile);
  const ofFile = text === undefined ? held : await recipientsOfKeys(text);
  return {
    recipients: recipientsOf(rules).filter((recipient) => held.includes(recipient)),
    wrong: [
      ...faults,
      ...(faults.length === 0 && rules.some(({ placeholders }) => placeholders.length > 0)
        ? [".sops.yaml still has the placeholder in place of a recipient: task secrets:init replaces it"]
        : []),
      ...(ofFile.some((one) => held.includes(one))
        ? []
        : [
            `${keyFile} holds ${ofFile.length > 0 ? `the key of ${ofFile.join(", ")}` : "no age identity"}, the vault the key of ${held.join(", ")}`,
          ]),
    ],
  };
}

/** Proves that the vault's age key, the recipient in .sops.yaml and, where it exists, $SOPS_AGE_KEY_FILE belong together. Returns a sentence about them; throws a Failure. */
export async function expectAgeKey(context: Pick<Context, "root" | "cluster" | "env" | "vault">): Promise<string> {
  const { recipients, wrong } = await ageDisagreements(context);
  if (wrong.length > 0)
    throw new Failure({
      attempted: "find one age key in the vault, .sops.yaml and $SOPS_AGE_KEY_FILE",
      said: wrong.join("\n"),
      next: "docs/secrets.md, The age key",
    });
  return `the vault's age key is that of ${recipients.join(", ")} in .sops.yaml`;
}
