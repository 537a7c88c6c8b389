// Secrets in plain text, found by reading documents and not by patterns: a Secret with values that are neither encrypted nor references.
import { readDocuments } from "../parse.ts";
import type { SopsRule } from "../../gitops/sops-rules.ts";
import { isMacTrue, sopsFaults } from "./sops.ts";

export interface SecretFault {
  line: number;
  /** `Secret network/tunnel` */
  object?: string;
  message: string;
  fix: string;
}

/** What no file of a repository may hold, whatever its kind. */
const KEYS: { pattern: RegExp; what: string }[] = [
  { pattern: /AGE-SECRET-KEY-1[0-9A-Z]{20,}/, what: "an age private key" },
  { pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=\s]{64,}/, what: "a private key" },
  { pattern: /\bops_eyJ[A-Za-z0-9_-]{40,}/, what: "a 1Password service account token" },
];
/** What may stand in a Secret: a reference that the bootstrap resolves, a variable that Flux does, nothing. */
const HARMLESS = /^$|^op:\/\/\S+$|^\$\{[^}]+\}$|^\{\{.*\}\}$/;
const REMEDY = "make it an ExternalSecret, or encrypt the file: sops --encrypt --in-place, with a name that ends in .sops.yaml";

/** What is wrong in a text with the secrets that it holds, by its path in the repository. */
export async function secretFaults(
  path: string,
  text: string,
  rules: readonly SopsRule[],
  ageKeys: readonly string[] = [],
): Promise<SecretFault[]> {
  const faults: SecretFault[] = KEYS.flatMap(({ pattern, what }) => {
    const found = pattern.exec(text);
    return found
      ? [
          {
            line: text.slice(0, found.index).split("\n").length,
            message: `holds ${what}`,
            fix: "take it out, and make a new one: whoever has the history has this one",
          },
        ]
      : [];
  });
  if (!/\.(ya?ml|json)$/.test(path)) return faults;
  const { documents } = readDocuments(text);
  const isSops = /[^/]\.sops\.(ya?ml|json)$/.test(path); // .sops.yaml itself holds rules
  for (const { value, line } of documents) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    const document = value as Record<string, unknown>;
    const object = nameOf(document);
    const more = { line, ...(object !== undefined && { object }) };
    if (document.sops) {
      for (const message of sopsFaults(path, document, rules))
        faults.push({ ...more, message, fix: `sops updatekeys ${path}, or encrypt it again` });
      if ((await isMacTrue(document, ageKeys)) === false)
        faults.push({
          ...more,
          message: "its MAC is not that of its content",
          fix: `it was changed without sops: bring it back (git restore ${path}) and change it with sops edit`,
        });
    } else if (isSops) faults.push({ ...more, message: "is called .sops and is not encrypted", fix: `sops --encrypt --in-place ${path}` });
    else for (const message of plainValues(document)) faults.push({ ...more, message, fix: REMEDY });
  }
  return faults;
}

function nameOf({ kind, metadata }: Record<string, unknown>): string | undefined {
  const { name, namespace } = (metadata ?? {}) as { name?: string; namespace?: string };
  return typeof kind === "string" && name !== undefined ? `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}` : undefined;
}

/** The values of a Secret that anybody can read; of a List each item's. */
export function plainValues(document: Record<string, unknown>): string[] {
  if (Array.isArray(document.items)) return (document.items as Record<string, unknown>[]).flatMap(plainValues);
  if (document.kind !== "Secret" || document.apiVersion !== "v1") return [];
  return ["data", "stringData"].flatMap((part) =>
    Object.entries((document[part] ?? {}) as Record<string, unknown>)
      .filter(([, value]) => value !== null && value !== undefined && !HARMLESS.test(String(value)))
      .map(([key]) => `${part}.${key} is readable by everybody who reads the repository`),
  );
}
