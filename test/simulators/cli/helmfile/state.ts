// Reads a helmfile: its releases with the templates that they inherit from, and the few functions that our templates call. Other functions are refused.
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { type Call, Untaught } from "../../world/tool.ts";

export interface HelmfileRelease {
  name: string;
  namespace: string;
  chart: string;
  version: string;
  values: any;
  needs: string[];
}

interface Raw {
  name: string;
  namespace: string;
  chart?: string;
  version?: string;
  values?: unknown[];
  needs?: string[];
  inherit?: { template: string }[];
}

const KEYS = ["helmDefaults", "releases", "templates", "repositories"];
const RELEASE = ["name", "namespace", "chart", "version", "values", "needs", "inherit"];

/** The releases of a helmfile in its order. Throws Node's error for the file itself, `Error` in helmfile's words for what it names. */
export async function readHelmfile(call: Call, file: string): Promise<HelmfileRelease[]> {
  const state = parse(await call.read(file)) as { releases?: Raw[]; templates?: Record<string, Partial<Raw>> };
  refuse(state, KEYS);
  return Promise.all((state.releases ?? []).map((raw) => resolveRelease(call, file, raw, state.templates ?? {})));
}

function refuse(object: object, known: string[]): void {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Untaught(`${unknown.join(", ")} in a helmfile`);
}

async function resolveRelease(call: Call, file: string, raw: Raw, templates: Record<string, Partial<Raw>>): Promise<HelmfileRelease> {
  const whole: Raw = Object.assign({}, ...(raw.inherit ?? []).map(({ template }) => templates[template] ?? {}), raw);
  refuse(whole, RELEASE);
  const folder = dirname(file);
  const { name, namespace } = whole;
  const release = { Name: name, Namespace: namespace };
  const text = async (template = "") => (template.includes("{{") ? render(call, folder, template, release) : template);
  let values: any = {};
  for (const one of whole.values ?? []) {
    if (typeof one !== "string") values = { ...values, ...(one as object) };
    else {
      const path = join(folder, one);
      const content = await call.read(path);
      values = { ...values, ...(parse(one.endsWith(".gotmpl") ? await render(call, dirname(path), content, release) : content) as object) };
    }
  }
  return {
    name,
    namespace,
    chart: await text(whole.chart),
    version: String(await text(String(whole.version ?? ""))),
    values,
    needs: whole.needs ?? [],
  };
}

/** `{{ (readFile (printf "…%s…" .Release.Namespace .Release.Name) | fromYaml).spec.url }}`, whole or `| toYaml`. */
async function render(call: Call, folder: string, template: string, release: Record<string, string>): Promise<string> {
  const parts = template.split(/\{\{-?(.*?)-?\}\}/s);
  const out = await Promise.all(parts.map((part, at) => (at % 2 === 0 ? part : evaluate(call, folder, part.trim(), release))));
  return out.join("");
}

async function evaluate(call: Call, folder: string, expression: string, release: Record<string, string>): Promise<string> {
  const field = /^\.Release\.(\w+)$/.exec(expression)?.[1];
  if (field !== undefined && field in release) return release[field]!;
  const match =
    /^\(\s*readFile\s+(?:"([^"]+)"|\(\s*printf\s+"([^"]+)"((?:\s+\.Release\.\w+)*)\s*\))\s*\|\s*fromYaml\s*\)((?:\.\w+)*)(\s*\|\s*toYaml)?$/.exec(
      expression,
    );
  if (!match) throw new Untaught(`the template {{ ${expression} }}`);
  const [, plain, format = "", words = "", path = "", yaml] = match;
  const args = words
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(
      (word) =>
        release[word.replace(".Release.", "")] ??
        ((): never => {
          throw new Untaught(`${word} in a template`);
        })(),
    );
  const name = plain ?? format.replaceAll("%s", () => args.shift() ?? "%!s(MISSING)");
  const found = path
    .split(".")
    .filter(Boolean)
    .reduce<any>((at, key) => at?.[key], parse(await call.read(join(folder, name))));
  if (found === undefined && !yaml) throw new Error(`error calling readFile: ${name} has no ${path}`);
  return yaml ? stringify(found ?? null) : String(found);
}
