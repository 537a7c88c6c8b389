// Secrets in plain text, found by reading documents and not by patterns: a Secret with values that are neither encrypted nor references.
import { readDocuments } from "../../tree/parse.ts";
import type { SopsRule } from "../../tree/sops-rules.ts";
import { readableSecrets } from "./configs.ts";
import { isMacTrue, sopsFaults } from "./sops.ts";

export interface SecretFault {
  line: number;
  /** `Secret network/tunnel` */
  object?: string;
  message: string;
  fix: string;
}

/** What may stand in a Secret: a reference that the bootstrap resolves, a variable that Flux does, nothing. */
const HARMLESS = /^$|^op:\/\/[^\n]+$|^\$\{[^}]+\}$|^\{\{.*\}\}$/;
const REMEDY = "make it an ExternalSecret, or encrypt the file: sops --encrypt --in-place, with a name that ends in .sops.yaml";
const REFERENCE = "write a reference in its place (op://vault/item/field), and make a new secret if this one was ever pushed";

/** Files with documents, and templates of them. */
const DOCUMENTS = /\.(ya?ml|json)(\.(njk|j2|tmpl|example|bak|orig|old))?$/;
/** Where there is none of these, no document is a secret; reading YAML is slow. */
const MAY_HOLD_ONE = /\b(Secret|Config|sops)\b|^["'{\s]*(machine|cluster|version|apiVersion)["']?\s*:\s*(v1alpha1)?$/m;

/** What is wrong with the documents of a file, by its path in the repository. `fixture`: values of test data are nobody's secret. */
export async function secretFaults(
  path: string,
  text: string,
  rules: readonly SopsRule[],
  ageKeys: readonly string[] = [],
  { fixture = false } = {},
): Promise<SecretFault[]> {
  const isSops = /[^/]\.sops\.(ya?ml|json)$/.test(path); // .sops.yaml itself holds rules
  if (fixture || !hasDocuments(path, text) || !(isSops || MAY_HOLD_ONE.test(text))) return [];
  const faults: SecretFault[] = [];
  const { documents } = readDocuments(text);
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
    else {
      for (const message of plainValues(document)) faults.push({ ...more, message, fix: REMEDY });
      for (const message of readableSecrets(document)) faults.push({ ...more, message, fix: REFERENCE });
    }
  }
  return faults;
}

/** A kubeconfig or a machine config may be called anything; code and pages quote such documents. */
const hasDocuments = (path: string, text: string) =>
  DOCUMENTS.test(path) ||
  (!/\.(ts|mjs|js|md|go|sh|py|txt)$/.test(path) && /^\s*\{|^(apiVersion|machine|cluster|contexts|version):/m.test(text));

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
