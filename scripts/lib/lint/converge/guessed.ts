// Names that hang on a variable nobody can read offline, a Secret's: the reader puts the variable's own name in lower case in its place.
import type { Finding } from "../../tree/types.ts";
import type { Need } from "./step.ts";
import type { World } from "./world.ts";

const standIn = (variable: string) => variable.toLowerCase().replaceAll("_", "-");

/** The needs that can be known: a name made of a variable's stand-in is nobody's. */
export const known = (needs: Need[], guessed: readonly string[] | undefined): Need[] =>
  guessed ? needs.filter(({ key }) => !guessed.some((variable) => key.includes(standIn(variable)))) : needs;

/** One finding for each such variable, where it first stands. */
export function unknownVariables({ tree }: World): Finding[] {
  const seen = new Map<string, Finding>();
  for (const one of tree.kustomizations)
    for (const { guessed = [], source, object } of one.built)
      for (const variable of guessed) {
        if (seen.has(variable)) continue;
        seen.set(variable, {
          rule: "unknown-variable",
          level: "unknown",
          file: source.file,
          line: source.line,
          object: `${object.kind} ${object.metadata.namespace ? `${object.metadata.namespace}/` : ""}${object.metadata.name}`,
          message: `the value of ${variable} is not known: it comes from what Kustomization ${one.namespace}/${one.name} substitutes from`,
          why: "whether the objects named after it exist cannot be known offline",
          fix: "write it under postBuild.substitute where it is no secret",
        });
      }
  return [...seen.values()];
}
