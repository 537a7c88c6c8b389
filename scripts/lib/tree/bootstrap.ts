// What the bootstrap applies before Flux runs: helmfiles (releases, and charts of which only the CRDs are used) and the first resources.
import { dirname, join } from "node:path";
import nunjucks from "nunjucks";
import type { Files } from "./files.ts";
import { isObject } from "./object.ts";
import { readDocuments } from "./parse.ts";
import type { Bootstrap, BootstrapRelease, Finding, Located } from "./types.ts";

type Report = (finding: Finding) => void;
interface Helmfile {
  bases?: string[];
  helmDefaults?: { args?: string[] };
  templates?: Record<string, Partial<HelmfileRelease>>;
  releases?: HelmfileRelease[];
}
interface HelmfileRelease {
  name: string;
  namespace?: string;
  chart?: string;
  version?: string | number;
  needs?: string[];
  values?: unknown[];
  inherit?: { template: string }[];
  installed?: boolean;
}

/** Reads a bootstrap folder, relative to the files' base. A missing folder is empty. */
export function readBootstrap(files: Files, folder: string, report: Report): Bootstrap {
  const result: Bootstrap = { objects: [], releases: [], crdCharts: [] };
  for (const file of files.under(
    folder,
    (path) => /\.(ya?ml|njk|j2)$/.test(path) && !/(^|\/)templates\//.test(path.slice(folder.length)),
  )) {
    const text = files.text(file);
    if (text === undefined) continue;
    if (/\.(njk|j2)$/.test(file) || /op:\/\/|^kind: (Secret|Namespace|ConfigMap)$/m.test(text))
      result.objects.push(...objectsOf(file, text, report));
    else if (/^releases:/m.test(text)) readHelmfile(files, file, result);
  }
  return result;
}

function readHelmfile(files: Files, file: string, result: Bootstrap): void {
  const documents = files.documents(file).map(({ value }) => value as Helmfile);
  const bases = documents.flatMap(({ bases = [] }) => bases.map((base) => join(dirname(file), base)));
  const inherited = bases.flatMap((base) => (files.is(base) === "file" ? files.documents(base).map(({ value }) => value as Helmfile) : []));
  const templates = Object.assign({}, ...[...inherited, ...documents].map((one) => one.templates ?? {})) as NonNullable<
    Helmfile["templates"]
  >;
  const crdsOnly = /crds/.test(file) || documents.some(({ helmDefaults }) => helmDefaults?.args?.includes("--include-crds"));
  for (const [index, { releases = [] }] of documents.entries())
    for (const [at, release] of releases.entries()) {
      if (release.installed === false) continue;
      const merged = Object.assign(
        {},
        ...(release.inherit ?? []).map(({ template }) => templates[template] ?? {}),
        release,
      ) as HelmfileRelease;
      const found = releaseOf(files, file, merged, placeOf(files, file, index, at));
      (crdsOnly ? result.crdCharts : result.releases).push(found);
    }
}

/** The line is looked up only when something is wrong there. */
const placeOf = (files: Files, file: string, document: number, at: number): BootstrapRelease["source"] => ({
  file,
  document,
  get line() {
    return files.lineOf(file, document, ["releases", at]);
  },
});

function releaseOf(files: Files, file: string, release: HelmfileRelease, source: BootstrapRelease["source"]): BootstrapRelease {
  const names = { name: release.name, namespace: release.namespace ?? "default" };
  const render = (text: unknown) => (text === undefined ? undefined : renderRead(files, dirname(file), String(text), names));
  const chart = render(release.chart);
  const version = render(release.version);
  const values = Object.assign({}, ...(release.values ?? []).map((one) => valuesOf(files, dirname(file), one, names))) as Record<
    string,
    unknown
  >;
  return {
    ...names,
    ...(chart !== undefined && { chart }),
    ...(version !== undefined && { version }),
    values,
    needs: (release.needs ?? []).map((one) => (one.includes("/") ? one : `${names.namespace}/${one}`)),
    source,
  };
}

interface Names {
  name: string;
  namespace: string;
}

/** `(readFile (printf "…/%s/%s/…" .Release.Namespace .Release.Name) | fromYaml).spec.x`: the one template that reads from the tree. */
const READS =
  /\{\{-?\s*\(?\(?\s*readFile\s+\(?\s*(?:printf\s+)?"([^"]+)"((?:\s+\.Release\.\w+)*)\s*\)?\s*\|\s*fromYaml\s*\)?\.([\w.]+)\s*(?:\|\s*toYaml)?\s*\)?\s*-?\}\}/;

function readValue(files: Files, folder: string, text: string, { name, namespace }: Names): unknown {
  const found = READS.exec(text);
  if (!found) return undefined;
  const [, format = "", fields = "", path = ""] = found;
  const words = fields.trim().split(/\s+/);
  let next = 0;
  const file = format.replaceAll("%s", () => (words[next++] === ".Release.Namespace" ? namespace : name));
  const value = files.is(join(folder, file)) === "file" ? files.documents(join(folder, file))[0]?.value : undefined;
  return path.split(".").reduce<unknown>((one, key) => (one as Record<string, unknown> | undefined)?.[key], value);
}

function renderRead(files: Files, folder: string, text: string, names: Names): string | undefined {
  if (!text.includes("{{")) return text;
  const value = readValue(files, folder, text, names);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function valuesOf(files: Files, folder: string, one: unknown, names: Names): object {
  if (typeof one === "object" && one !== null) return one;
  const path = join(folder, String(one));
  if (files.is(path) !== "file") return {};
  if (!path.endsWith(".gotmpl")) return (files.documents(path)[0]?.value as object) ?? {};
  return (readValue(files, dirname(path), files.text(path) ?? "", names) as object) ?? {};
}

/** The manifests of a template: rendered with a word where each value will be, which is enough to know kinds, names and keys. */
function objectsOf(file: string, text: string, report: Report): Located[] {
  try {
    const { documents, faults } = readDocuments(/\{[{%#]/.test(text) ? renderWithWords(text) : text);
    for (const { line, message } of faults) throw new Error(`line ${line} once it is rendered: ${message}`);
    return documents.flatMap(({ value, line }, document) => (isObject(value) ? [{ object: value, source: { file, line, document } }] : []));
  } catch (error) {
    const message = `cannot be read without the bootstrap's own values: ${(error as Error).message.split("\n")[0]}`;
    report({
      rule: "bootstrap",
      level: "unknown",
      file,
      line: 1,
      message,
      why: "what it applies is not known",
      fix: "keep its templates to values and loops",
    });
    return [];
  }
}

/** nunjucks reads what minijinja and makejinja write too, as far as bootstraps use it. */
function renderWithWords(text: string): string {
  const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: false });
  const ref = (item: string, field: string) => `op://home/${item}/${field}`;
  return environment.renderString(text, { ref });
}
