// Whether a SOPS file fits .sops.yaml: who can decrypt it, what is encrypted, and, where the key is at hand, its MAC.
import { createDecipheriv, createHash } from "node:crypto";
import { ruleFor } from "../../tree/sops.ts";
import { goPattern, type SopsRule } from "../../tree/sops-rules.ts";

interface Recipients {
  age?: { recipient: string; enc: string }[];
}

interface Metadata extends Recipients {
  /** In place of `age` where a rule has more than one key group. */
  key_groups?: Recipients[];
  lastmodified?: string;
  mac?: string;
  encrypted_regex?: string;
  mac_only_encrypted?: boolean;
}

const recipientsIn = ({ age = [], key_groups: groups = [] }: Metadata) =>
  [...age, ...groups.flatMap((group) => group.age ?? [])].map(({ recipient }) => recipient).sort();
const ENCRYPTED = /^ENC\[AES256_GCM,data:([^,]*),iv:([^,]*),tag:([^,]*),type:(\w+)\]$/;

/** What is wrong with an encrypted document, a line each. */
export function sopsFaults(path: string, document: Record<string, unknown>, rules: readonly SopsRule[]): string[] {
  const { sops, ...content } = document as { sops?: Metadata };
  if (!sops) return [];
  const rule = ruleFor(path, rules);
  if (!rule) return ["no rule of .sops.yaml is for this path"];
  if (rule.flaw !== undefined) return [`its rule in .sops.yaml (line ${rule.line}) cannot be read: ${rule.flaw}`];
  const faults: string[] = [];
  const [has, wants] = [recipientsIn(sops), rule.recipients.toSorted()];
  for (const one of has.filter((recipient) => !wants.includes(recipient)))
    faults.push(`it is also for ${one}, which .sops.yaml does not name`);
  for (const one of wants.filter((recipient) => !has.includes(recipient))) faults.push(`it is not for ${one}, which .sops.yaml names`);
  if ((sops.encrypted_regex ?? "") !== (rule.encrypted_regex ?? ""))
    faults.push(`its encrypted_regex is ${sops.encrypted_regex ?? "not set"}, .sops.yaml says ${rule.encrypted_regex ?? "none"}`);
  if (Boolean(sops.mac_only_encrypted) !== Boolean(rule.mac_only_encrypted))
    faults.push(
      `mac_only_encrypted is ${String(Boolean(sops.mac_only_encrypted))}, .sops.yaml says ${String(Boolean(rule.mac_only_encrypted))}`,
    );
  if (!sops.mac || !ENCRYPTED.test(sops.mac)) faults.push("it has no MAC: it was not written by sops");
  if (!sops.lastmodified) faults.push("it has no lastmodified: it was not written by sops");
  const pattern = sops.encrypted_regex === undefined ? undefined : goPattern(sops.encrypted_regex);
  for (const { keys, value } of leaves(content))
    if (isToBeEncrypted(keys, pattern) && value !== "" && !ENCRYPTED.test(String(value))) faults.push(`${keys.join(".")} is not encrypted`);
  return faults;
}

const isToBeEncrypted = (keys: readonly string[], pattern: RegExp | undefined) =>
  pattern === undefined || keys.some((key) => pattern.test(key));

/** Scalars with the keys on the way; lists add none, as in SOPS. */
function* leaves(value: unknown, keys: string[] = []): Generator<{ keys: string[]; value: unknown }> {
  if (Array.isArray(value)) for (const one of value) yield* leaves(one, keys);
  else if (typeof value === "object" && value !== null) for (const [key, one] of Object.entries(value)) yield* leaves(one, [...keys, key]);
  else if (value !== null && value !== undefined) yield { keys, value };
}

/** What SOPS hashes before anything else when the MAC is over encrypted values alone (sops.go, MACOnlyEncryptedInitialization). */
const ONLY_ENCRYPTED = Buffer.from("8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69", "hex");

/** Whether the MAC is that of the content; undefined when none of the age keys opens it. */
export async function isMacTrue(document: Record<string, unknown>, ageKeys: readonly string[]): Promise<boolean | undefined> {
  const { sops = {}, ...content } = document as { sops?: Metadata };
  const key = await dataKey(sops, ageKeys);
  if (!key || !sops.mac) return undefined;
  const pattern = sops.encrypted_regex === undefined ? undefined : goPattern(sops.encrypted_regex);
  const hash = createHash("sha512");
  if (sops.mac_only_encrypted) hash.update(ONLY_ENCRYPTED);
  try {
    for (const { keys, value } of leaves(content)) {
      const encrypted = isToBeEncrypted(keys, pattern);
      if (encrypted) hash.update(open(String(value), key, `${keys.join(":")}:`));
      else if (!sops.mac_only_encrypted) hash.update(typeof value === "boolean" ? (value ? "True" : "False") : String(value));
    }
    return open(sops.mac, key, sops.lastmodified ?? "").toString("utf8") === hash.digest("hex").toUpperCase();
  } catch {
    return false; // a value that does not decrypt was changed by hand
  }
}

function open(text: string, key: Buffer, aad: string): Buffer {
  if (text === "") return Buffer.alloc(0);
  const [, data = "", iv = "", tag = ""] = ENCRYPTED.exec(text) ?? [];
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"));
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(Buffer.from(tag, "base64"));
  return Buffer.concat([decipher.update(Buffer.from(data, "base64")), decipher.final()]);
}

async function dataKey({ age = [], key_groups: groups }: Metadata, ageKeys: readonly string[]): Promise<Buffer | undefined> {
  if (ageKeys.length === 0 || groups !== undefined) return undefined; // of several groups each holds only a part of the key
  const { armor, Decrypter } = await import("age-encryption");
  for (const { enc } of age) {
    const opened = await (async () => {
      const decrypter = new Decrypter();
      for (const one of ageKeys) decrypter.addIdentity(one);
      return decrypter.decrypt(armor.decode(enc));
    })().catch(() => undefined); // not for this key, or no key at all
    if (opened) return Buffer.from(opened);
  }
  return undefined;
}

/** The private keys of an age key file. */
export const ageKeysIn = (text: string) => text.match(/AGE-SECRET-KEY-1[0-9A-Z]+/g) ?? [];
