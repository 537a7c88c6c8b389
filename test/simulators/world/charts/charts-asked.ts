// Which charts, in which versions, the operator's repository asks for: what its registries hold.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { whenPresent } from "../../present.ts";

/** By address without `oci://`: `quay.io/cilium/charts/cilium`. As it stands now, since the operator edits these files. */
export function chartsAsked(repository: string): Map<string, Set<string>> {
  const asked = new Map<string, Set<string>>();
  for (const folder of ["kubernetes", "bootstrap/helmfile.d"])
    for (const file of filesBelow(join(repository, folder)))
      for (const [address, version] of whenPresent(() => namedIn(file)) ?? [])
        asked.set(address, (asked.get(address) ?? new Set()).add(version));
  return asked;
}

const known = new Map<string, { as: string; charts: [address: string, version: string][] }>();

/** The charts that one file names; it is read again only when it was written since. */
function namedIn(file: string): [address: string, version: string][] {
  const { mtimeMs, size } = statSync(file);
  const as = `${mtimeMs} ${size}`;
  let found = known.get(file);
  if (found?.as !== as) known.set(file, (found = { as, charts: read(readFileSync(file, "utf8")) }));
  return found.charts;
}

function read(text: string): [address: string, version: string][] {
  if (!text.includes("oci://")) return [];
  return parseAllDocuments(text)
    .map((document) => (document.toJS() ?? {}) as any)
    .flatMap(({ kind, spec, releases = [] }) => [
      ...(kind === "OCIRepository" ? [[spec?.url, spec?.ref?.tag]] : []),
      ...releases.map(({ chart, version }: any) => [chart, version]),
    ])
    .filter(([url, version]) => /^oci:\/\/[^{]+$/.test(String(url)) && version !== undefined)
    .map(([url, version]) => [url.slice("oci://".length), String(version)]);
}

function filesBelow(folder: string): string[] {
  return (whenPresent(() => readdirSync(folder, { recursive: true, encoding: "utf8" })) ?? [])
    .filter((path) => path.endsWith(".yaml"))
    .map((path) => join(folder, path));
}
