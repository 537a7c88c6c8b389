// Files that nothing includes, duplicate objects, and objects without a namespace or in a namespace that nothing creates.
import { dirname } from "node:path";
import { isClusterScopedKind } from "../chart-facts.ts";
import { about, at, type RuleInput, type Rule } from "../rule-input.ts";
import { NAMES } from "../../tree/kustomize/file.ts";
import { isClusterScoped } from "../../tree/kustomize/resource.ts";
import { groupOf, keyOf } from "../../tree/object.ts";
import { isBuiltInGroup } from "../schemas/find.ts";
import { isDataFile } from "../../tree/data-files.ts";
import type { Finding, KubeObject, Located } from "../../tree/types.ts";

/** Built-in kinds without a namespace that are newer than kyaml's list. */
const NEWER =
  /^(ClusterTrustBundle|DeviceClass|FlowSchema|IPAddress|MutatingAdmissionPolicy(Binding)?|PriorityLevelConfiguration|ResourceSlice|ServiceCIDR|ValidatingAdmissionPolicy(Binding)?|VolumeAttributesClass)$/;

/** Whether the API server wants a namespace for it; undefined for a custom kind of which nobody knows. */
export const hasNamespace = (object: KubeObject): boolean =>
  !isClusterScoped(object) &&
  !isClusterScopedKind(object) &&
  !(isBuiltInGroup(groupOf(object)) && NEWER.test(object.kind)) &&
  !/^Cluster[A-Z]/.test(object.kind);

/** They come with the cluster. */
const GIVEN = ["default", "kube-system", "kube-public", "kube-node-lease"];

export const structure: Rule = {
  name: "structure",
  about: "every file is included, every object stands once and in a namespace that exists",
  check: (input) => [...strayFiles(input), ...twins(input), ...namespaces(input)],
};

function strayFiles({ tree: { files, root, used } }: RuleInput): Finding[] {
  const unused = files.under(root, (path) => !used.has(path) && !/\.md$|(^|\/)\./.test(path) && !isDataFile(path));
  const folders = new Set(unused.filter((path) => NAMES.some((name) => path.endsWith(`/${name}`))).map(dirname));
  /** Below a folder whose own kustomization file is not listed: one finding is enough. */
  const isCovered = (path: string): boolean => {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder))
      if (folders.has(folder) && !NAMES.some((name) => path === `${folder}/${name}`)) return true;
    return false;
  };
  const isOptional = (path: string) => /\.ya?ml$|(^|\/)Kustomization$/.test(path) && /^# optional: /m.test(files.text(path) ?? "");
  /** The folders of Flux Kustomizations that are switched on by choice. */
  const offered = unused
    .filter((path) => isOptional(path) && /^apiVersion: kustomize\.toolkit\.fluxcd\.io\//m.test(files.text(path) ?? ""))
    .map((path) => `${dirname(path)}/`);
  /** Beside or below a kustomization file that was built. */
  const isPayload = (path: string): boolean => {
    for (let folder = dirname(path); folder.startsWith(`${root}/`); folder = dirname(folder))
      if (NAMES.some((name) => used.has(`${folder}/${name}`))) return true;
    return false;
  };
  return unused
    .filter((path) => !isCovered(path) && !isOptional(path) && !offered.some((folder) => path.startsWith(folder)))
    .flatMap((path): Finding[] => {
      const source = { file: path, line: 1 };
      const why = "Flux applies only what is listed: this never reaches the cluster";
      const text = NAMES.some((name) => path.endsWith(`/${name}`)) ? (files.text(path) ?? "") : "";
      if (/^kind: Component$/m.test(text))
        return [
          at("structure", "note", source, {
            message: "no Kustomization uses this component",
            why,
            fix: "list it under components, or take it out; one that is there to be switched on says so in a line `# optional: ` and where",
          }),
        ];
      if (/\.ya?ml$/.test(path))
        return [
          at("structure", "error", source, {
            message: "no kustomization includes it",
            why,
            fix: "list it in the kustomization.yaml beside it, or delete it; a file that is switched on by choice has a line `# optional: ` that names the page",
          }),
        ];
      return isPayload(path)
        ? [
            at("structure", "note", source, {
              message: "nothing packs this file",
              why,
              fix: "name it in a configMapGenerator, or take it out",
            }),
          ]
        : [];
    });
}

function twins({ tree }: RuleInput): Finding[] {
  const seen = new Map<string, { who: string; located: Located }>();
  return tree.kustomizations.flatMap(({ name, namespace, built }) =>
    built.flatMap((located) => {
      const key = keyOf(located.object);
      const who = `${namespace}/${name}`;
      const twin = seen.get(key);
      if (!twin) seen.set(key, { who, located });
      if (!twin || twin.who === who) return [];
      return [
        about({ tree }, "identity", "error", located, [], {
          message: `is applied by Kustomization ${who} and by ${twin.who} (${twin.located.source.file}:${twin.located.source.line})`,
          why: "each overwrites the other at every interval, and the one that is removed first deletes it for both",
          fix: "keep it in one of the two",
        }),
      ];
    }),
  );
}

function namespaces(input: RuleInput): Finding[] {
  const { tree, applied } = input;
  const made = new Set([
    ...GIVEN,
    ...tree.kustomizations.slice(0, 1).map(({ namespace }) => namespace), // Flux runs there
    ...applied.filter(({ object }) => object.kind === "Namespace").map(({ object }) => object.metadata.name),
  ]);
  for (const { object } of applied)
    if (object.kind === "HelmRelease" && object.spec?.install?.createNamespace)
      made.add(String(object.spec.targetNamespace ?? object.metadata.namespace));
  if (tree.kustomizations.some(({ elsewhere }) => elsewhere)) return [];
  const told = new Set<string>();
  return tree.kustomizations.flatMap((one) =>
    one.built.flatMap((located) => {
      const { object } = located;
      if (!hasNamespace(object)) return [];
      const { namespace } = object.metadata;
      if (namespace === undefined)
        return [
          about(input, "namespace", "error", located, ["metadata"], {
            message: "has no namespace",
            why: `Flux refuses the whole of Kustomization ${one.namespace}/${one.name}: an object of this kind needs one`,
            fix: "set targetNamespace in ks.yaml, or namespace in the kustomization.yaml",
          }),
        ];
      const key = `${one.namespace}/${one.name} ${namespace}`;
      if (made.has(namespace) || told.has(key)) return [];
      told.add(key);
      return [
        about(input, "namespace", "error", located, ["metadata", "namespace"], {
          message: `nothing creates the namespace ${namespace}`,
          why: `the server refuses the dry run of Kustomization ${one.namespace}/${one.name}: nothing of it is applied`,
          fix: "list components/namespace in the namespace's kustomization.yaml, or fix the name",
        }),
      ];
    }),
  );
}
