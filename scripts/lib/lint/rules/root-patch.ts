// Fields of a child Kustomization that the patch of the root overwrites: it replaces lists and scalars, and the child's file does not show it.
import { isDeepStrictEqual } from "node:util";
import { about, type Rule } from "../rule-input.ts";
import type { KubeObject } from "../../tree/types.ts";

export const rootPatch: Rule = {
  name: "root-patch",
  about: "what a Kustomization says itself is what Flux gets",
  check(input) {
    const { files, kustomizations } = input.tree;
    return kustomizations.flatMap((one) => {
      if (!one.parent) return []; // the first Kustomization has no file of its own
      const own = files.documents(one.source.file)[one.source.document ?? 0]?.value as KubeObject | undefined;
      if (!own?.spec) return [];
      const located = { object: { ...own, metadata: { ...own.metadata, name: one.name, namespace: one.namespace } }, source: one.source };
      return overwritten(own.spec, one.spec, []).map((path) =>
        about(input, "root-patch", "error", located, ["spec", ...path], {
          message: `its own spec.${path.join(".")} is overwritten by a patch of ${one.parent}`,
          why: "a strategic patch replaces lists and scalars whole: what stands in this file is never in force",
          fix: "label it own-defaults (the root's patches leave such Kustomizations alone), or take the field out",
        }),
      );
    });
  },
};

/** Paths of what stood there and stands there no longer, unless it was substituted. */
function overwritten(own: unknown, final: unknown, path: string[]): string[][] {
  if (typeof own === "object" && own !== null && !Array.isArray(own) && typeof final === "object" && final !== null)
    return Object.entries(own).flatMap(([key, value]) => overwritten(value, (final as Record<string, unknown>)[key], [...path, key]));
  if (own === undefined || own === null || isDeepStrictEqual(own, final) || JSON.stringify(own).includes("${")) return [];
  return [path];
}
