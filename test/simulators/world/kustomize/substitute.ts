// What kustomize-controller does after a build: ${NAME} in every object, from the Kustomization's own map, strictly.
import { parse, stringify } from "yaml";
import { Untaught } from "../tool.ts";
import type { KubeObject } from "../cluster/state.ts";

const DISABLED = "kustomize.toolkit.fluxcd.io/substitute";

interface PostBuild {
  substitute?: Record<string, string>;
}

/** The object with its variables replaced; throws with the controller's words. An object that is marked as disabled stays as it is. */
export function substituted(object: KubeObject, { substitute = {}, ...more }: PostBuild): KubeObject {
  const unknown = Object.keys(more);
  if (unknown.length > 0) throw new Untaught(`postBuild.${unknown.join(", postBuild.")}`);
  const { annotations, labels } = object.metadata;
  if ([annotations?.[DISABLED], labels?.[DISABLED]].includes("disabled")) return object;
  const text = stringify(object, { lineWidth: 0 });
  const replaced = text.replaceAll(/\$(\$?)\{([^}]*)\}/g, (_whole, escaped: string, inner: string) => {
    if (escaped) return `\${${inner}}`;
    const [, name = "", operator, standby] = /^([A-Za-z_]\w*)(?:(:?[=-])(.*))?$/s.exec(inner) ?? [];
    if (name === "") throw new Untaught(`the substitution \${${inner}}`);
    const value = substitute[name];
    const given = value !== undefined && (value !== "" || !operator?.startsWith(":"));
    if (given) return value;
    if (operator) return standby!;
    throw new Error(`envsubst error: variable substitution failed: variable not set (strict mode): "${name}"`);
  });
  return replaced === text ? object : (parse(replaced) as KubeObject);
}
