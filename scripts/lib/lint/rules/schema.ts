// Every object against the schema of its kind, strict; kinds without one are named, with where to get it.
import { factsOf, valuesOf } from "../chart-facts.ts";
import { about, at, type RuleInput, type Rule } from "../rule-input.ts";
import { fileOf, NAMES } from "../../tree/kustomize/file.ts";
import { groupOf, versionOf } from "../../tree/object.ts";
import { isBuiltInGroup, kubernetesVersions, SCHEMAS, schemaPath, versionsOf } from "../schemas/find.ts";
import type { Finding, KubeObject, Located } from "../../tree/types.ts";

export const schema: Rule = {
  name: "schema",
  about: "every object is valid for its kind",
  check(input) {
    const { validators, kubernetes } = input;
    if (!kubernetesVersions().includes(kubernetes))
      return [
        at(
          "schema",
          "unknown",
          { file: "versions.env", line: 1 },
          {
            message: `there are no schemas for Kubernetes ${kubernetes}`,
            why: "no built-in kind is checked",
            fix: `add scripts/lint/schemas/kubernetes/${kubernetes}, or set a version of ${kubernetesVersions().join(", ")}`,
          },
        ),
      ];
    const missing = new Map<string, { located: Located; count: number }>();
    const told = new Set<string>();
    const files = kustomizationFiles(input).map((located) => ({ located, faults: validators.faults(located.object) }));
    const findings = [...input.checked, ...files].flatMap(({ located, faults }): Finding[] => {
      const { object, guessed } = located;
      if (!faults) {
        const kind = `${object.apiVersion} ${object.kind}`;
        missing.set(kind, { located: missing.get(kind)?.located ?? located, count: (missing.get(kind)?.count ?? 0) + 1 });
        return [];
      }
      return faults
        .filter(
          ({ path, message }) =>
            !(object.kind === "Secret" && path[0] === "sops") &&
            once(told, `${located.source.file}:${located.source.line} ${object.metadata?.name} ${path.join(".")} ${message}`),
        )
        .map(({ path, message, meant }) =>
          about(
            input,
            "schema",
            guessed || (message === NO_FIELD && meant === undefined && isNewer(input, object)) ? "unknown" : "error",
            located,
            path,
            {
              message: `${path.join(".") || object.kind} ${message}${meant === undefined ? "" : `; did you mean ${[...path.slice(0, -1), meant].join(".")}?`}`,
              why: "the API server refuses the object, and with it the whole stage of its Kustomization",
              fix: guessed
                ? `depends on ${guessed.join(", ")}, which is unknown offline`
                : `fix it: scripts/lint/schemas/${schemaPath(object, kubernetes)} says what is allowed there`,
            },
          ),
        );
    });
    const unknown = [...missing].map(([kind, { located, count }]) =>
      about(input, "schema", "unknown", located, ["kind"], wordsFor(kind, located, count, kubernetes)),
    );
    const unread = validators.unreadable().map(({ schema: file, pattern }) =>
      at(
        "schema",
        "unknown",
        { file: `scripts/lint/schemas/${file}`, line: 1 },
        {
          message: `JavaScript cannot read the pattern ${pattern}`,
          why: "values are not checked against it",
          fix: "teach scripts/lib/lint/schemas/patterns.ts its meaning",
        },
      ),
    );
    return [...findings, ...unknown, ...unread];
  },
};

const NO_FIELD = "is no field of this kind";

/** Whether the chart that brings a kind is of another version in this tree than the one whose schemas are here: a field may be newer. */
function isNewer({ charts }: RuleInput, object: KubeObject): boolean {
  const bringing = [...charts.values()].find(({ chart }) => {
    const { crds, laterCrds } = factsOf(chart) ?? {};
    return [crds, laterCrds].some((kinds) => kinds?.[groupOf(object)]?.includes(object.kind));
  });
  return bringing !== undefined && bringing.version !== valuesOf(bringing.chart)?.version;
}

const once = (told: Set<string>, key: string) => !told.has(key) && Boolean(told.add(key));

function wordsFor(kind: string, { object }: Located, count: number, kubernetes: string) {
  const versions = versionsOf(object);
  const path = `${SCHEMAS.replace(/^.*(?=scripts\/)/, "")}/${schemaPath(object, kubernetes)}`;
  const where =
    versions.length > 0
      ? `it has ${versions.map((one) => `${groupOf(object)}/${one}`).join(", ")}`
      : isBuiltInGroup(groupOf(object))
        ? `Kubernetes ${kubernetes} has no ${object.kind} in ${versionOf(object)}`
        : `take it from the CRD (https://github.com/datreeio/CRDs-catalog has most) and put it at ${path}`;
  return {
    message: `${kind} has no schema (${count} ${count === 1 ? "object" : "objects"})`,
    why: "a misspelt field in it would be found only in the cluster",
    fix: where,
  };
}

/** The kustomization files themselves, of every folder that was built. */
function kustomizationFiles({ tree: { files, used, root } }: Parameters<Rule["check"]>[0]): Located[] {
  return [...used]
    .filter(
      (path) =>
        path.startsWith(`${root}/`) &&
        NAMES.some((name) => path.endsWith(`/${name}`)) &&
        fileOf(files, path.slice(0, path.lastIndexOf("/"))) === path,
    )
    .flatMap((file) =>
      files.documents(file).flatMap(({ value, line }, document) => {
        const { metadata: _, ...rest } = value as KubeObject; // few have one, and its schema would want to know more of it
        return typeof rest.kind === "string" && typeof rest.apiVersion === "string"
          ? [{ object: rest as KubeObject, source: { file, line, document } }]
          : [];
      }),
    );
}
