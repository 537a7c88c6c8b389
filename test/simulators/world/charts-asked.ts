// Which charts, in which versions, the operator's repository asks for: what its registries hold.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** By address without `oci://`: `quay.io/cilium/charts/cilium`. Read anew each time, since the operator edits these files. */
export function chartsAsked(repository: string): Map<string, Set<string>> {
  const asked = new Map<string, Set<string>>();
  const add = (url: unknown, version: unknown) => {
    if (typeof url !== "string" || !url.startsWith("oci://") || url.includes("{{") || version === undefined) return;
    const address = url.slice("oci://".length);
    asked.set(address, (asked.get(address) ?? new Set()).add(String(version)));
  };
  for (const text of filesBelow(join(repository, "kubernetes")).filter((text) => text.includes("kind: OCIRepository")))
    for (const { kind, spec } of objectsIn(text)) if (kind === "OCIRepository") add(spec?.url, spec?.ref?.tag);
  for (const text of filesBelow(join(repository, "bootstrap/helmfile.d")))
    for (const { releases } of objectsIn(text)) for (const { chart, version } of releases ?? []) add(chart, version);
  return asked;
}

const objectsIn = (text: string) => parseAllDocuments(text).map((document) => (document.toJS() ?? {}) as any);

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .map((path) => readFileSync(join(folder, path), "utf8"));
}
