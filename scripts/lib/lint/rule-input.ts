// The input of every rule: the tree, its charts, the schemas, and the home that the tree is for, if known.
import type { Cluster } from "../cluster/cluster.ts";
import { chartsOf } from "./chart-facts.ts";
import type { Files } from "../tree/files.ts";
import { inWords } from "../tree/object.ts";
import { openValidators, type Validators } from "./schemas/validators.ts";
import { type Checked, removeWrongTypes } from "./wrong-types.ts";
import type { Finding, Level, Located, Source, Tree } from "../tree/types.ts";

export interface RuleInput {
  tree: Tree & { files: Files };
  /** Everything that is applied: by every Kustomization, and by the bootstrap before. */
  applied: Located[];
  /** Chart URL and version of every HelmRelease, by `namespace/name`. */
  charts: ReturnType<typeof chartsOf>;
  validators: Validators;
  /** Every object with its schema errors. `tree` and `applied` lack the fields that have the wrong type. */
  checked: Checked[];
  kubernetes: string;
  /** talos/cluster.yaml of the tree's own repository; another's tree may have none. */
  cluster?: Cluster;
}

export interface Rule {
  name: string;
  /** What it proves, in one line. */
  about: string;
  check(input: RuleInput): Finding[] | Promise<Finding[]>;
}

/** Builds the input of the rules from a tree as it was read. */
export function ruleInputOf(read: RuleInput["tree"], kubernetes: string, cluster?: Cluster): RuleInput {
  const validators = openValidators(kubernetes);
  const { tree, checked } = removeWrongTypes(read, validators);
  return {
    tree,
    checked,
    applied: [...tree.kustomizations.flatMap(({ built }) => built), ...tree.bootstrap.objects],
    charts: chartsOf(tree),
    validators,
    kubernetes,
    ...(cluster && { cluster }),
  };
}

export interface Words {
  message: string;
  why: string;
  fix: string;
}

/** A finding about an object, at the line of a path inside it. */
export const about = (
  { tree }: Pick<RuleInput, "tree">,
  rule: string,
  level: Level,
  { object, source }: Pick<Located, "object" | "source">,
  path: readonly (string | number)[],
  words: Words,
): Finding => ({ rule, level, file: source.file, line: lineIn(tree.files, source, path), object: inWords(object), ...words });

const lineIn = (files: Files, source: Source, path: readonly (string | number)[]) =>
  path.length === 0 ? source.line : Math.max(source.line, files.lineOf(source.file, source.document ?? 0, path));

/** A finding about a place that is no object. */
export const at = (rule: string, level: Level, { file, line }: Source, words: Words): Finding => ({ rule, level, file, line, ...words });
