// What every rule stands on: the tree, its charts, the schemas, and the home that it is for, where that is known.
import type { Cluster } from "../cluster/cluster.ts";
import { chartsOf } from "./charts.ts";
import type { Files } from "../tree/files.ts";
import { inWords } from "../tree/object.ts";
import { openValidators, type Validators } from "./schemas/validators.ts";
import { type Checked, makeSound } from "./sound.ts";
import type { Finding, Level, Located, Source, Tree } from "../tree/types.ts";

export interface Ground {
  tree: Tree & { files: Files };
  /** Everything that is applied: by every Kustomization, and by the bootstrap before. */
  applied: Located[];
  /** Chart URL and version of every HelmRelease, by `namespace/name`. */
  charts: ReturnType<typeof chartsOf>;
  validators: Validators;
  /** Every object with what is wrong with it by its schema; what has the wrong type is taken out of `tree` and `applied`. */
  checked: Checked[];
  kubernetes: string;
  /** talos/cluster.yaml of the tree's own repository; another's tree may have none. */
  cluster?: Cluster;
}

export interface Rule {
  name: string;
  /** What it proves, in one line. */
  about: string;
  check(ground: Ground): Finding[] | Promise<Finding[]>;
}

/** Puts together what the rules need. Changes the tree: see `checked`. */
export function groundOf(tree: Ground["tree"], kubernetes: string, cluster?: Cluster): Ground {
  const validators = openValidators(kubernetes);
  const checked = makeSound(tree, validators);
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
  { tree }: Pick<Ground, "tree">,
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
