// Derives from the Go types of the machine config what a patch does to each value: the content of scripts/lib/talos/patch-types.json.
import type { TypeTree } from "../../../scripts/lib/talos/patch-types.ts";

/** The answer to a "types" request of one Talos version: `machine.sysctls` -> `map`. */
export type GoTypes = Record<string, string>;

/** Lists that merge item by item, by the name of their Go type. */
const KEYED: Record<string, string> = {
  NetworkDeviceList: "interface",
  VlanList: "vlanId",
  AdmissionPluginConfigList: "name",
  ConfigFileList: "mountPath",
};
/** Types that are taken from the patch in any case, also where the patch does not have them. */
const RESET = /merger:(Expression|ByteSize|PercentageSize)\b|^bool$/;

/** One tree for all versions, oldest first; `@14` marks a rule that holds from that minor version on. */
export function patchTypes(versions: { minor: number; types: GoTypes }[]): TypeTree {
  const newest = Object.assign({}, ...versions.map(({ types }) => types)) as GoTypes;
  const tree: TypeTree = {};
  for (const path of Object.keys(newest).toSorted()) {
    if (!isMerged(path, newest)) continue;
    const parts = path.split(".");
    const name = parts.pop()!;
    let at = tree;
    for (const part of parts) at = at[part.replace("[]", "")] as TypeTree;
    if (!name.endsWith("[]")) at[name] = ruleOf(path, newest, versions);
  }
  return Object.fromEntries(Object.entries(tree).map(([kind, type]) => [kind, withoutHollow(type as TypeTree)]));
}

/** A struct without fields of its own is written as a text: an URL. */
function withoutHollow(tree: TypeTree): TypeTree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, inner]) => {
      if (typeof inner === "string") return [name, inner];
      return [name, Object.keys(inner).every((key) => key === "=") ? "" : withoutHollow(inner)];
    }),
  );
}

/** Whether patches merge into this value: items of other lists are only appended. */
function isMerged(path: string, types: GoTypes): boolean {
  const above = path.split(/(?=\[\]|\.)/).slice(0, -1);
  return above.every((_, index) => {
    const type = types[above.slice(0, index + 1).join("")] ?? "";
    const { rule, inside } = kindOf(type, types[`${above.slice(0, index + 1).join("")}.*`]);
    return inside && rule !== "replace" && rule !== "any";
  });
}

function kindOf(type: string, values: string | undefined): { rule: string; inside: boolean } {
  const [, merger = ""] = /merger:(\w+)/.exec(type) ?? [];
  if (type.startsWith("replaced")) return { rule: "replace", inside: false };
  if (/ PEMEncoded\w+$/.test(type)) return { rule: "replace", inside: false };
  if (merger === "ImageVerificationRules") return { rule: "items:image", inside: false };
  if (merger === "Args") return { rule: "args", inside: false };
  if (KEYED[merger]) return { rule: "keyed", inside: true };
  if (RESET.test(type)) return { rule: "reset", inside: false };
  if (/^(pointer )?(merger:\w+ )?(text|yaml)/.test(type) && !/int\d*( |$)/.test(type)) return { rule: "", inside: false };
  const [, zero] = / zero:(.*)$/.exec(type) ?? [];
  if (/^(text )?u?int\d*( |$)/.test(type)) return { rule: zero === undefined ? "integer" : `zero:${zero}`, inside: false };
  if (/\bmap$/.test(type)) return values?.endsWith("struct") ? { rule: "", inside: true } : { rule: "map", inside: false };
  if (/\bstruct$/.test(type)) return values === "interface" ? { rule: "any", inside: false } : { rule: "", inside: true };
  return { rule: "", inside: false };
}

function ruleOf(path: string, types: GoTypes, versions: { minor: number; types: GoTypes }[]): string | TypeTree {
  const values = types[`${path}.*`];
  const { rule, inside } = kindOf(types[path]!, values);
  if (!inside) {
    const having = versions.filter((one) => one.types[path] !== undefined);
    const since = having.find((one) => kindOf(one.types[path]!, one.types[`${path}.*`]).rule === rule)!;
    return since === having[0] || rule === "" ? rule : `${rule}@${since.minor}`;
  }
  const [, merger = ""] = /merger:(\w+)/.exec(types[path]!) ?? [];
  if (KEYED[merger]) return { "[]": KEYED[merger] };
  return types[path] === "struct" && path.includes(".") ? { "=": "value" } : {};
}
