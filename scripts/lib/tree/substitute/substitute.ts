// Flux substitutes in the text of an object, then reads that text again: "${PORT}" becomes a number, a list in a variable becomes a list.
// Here it is done scalar by scalar: each is written as Go's yaml.v2 would write it, expanded, and read again.
import { parse } from "yaml";
import { readPlain } from "../scalars.ts";
import type { KubeObject } from "../types.ts";
import { expand } from "./envsubst.ts";

const SWITCH = "kustomize.toolkit.fluxcd.io/substitute";

/** Whether an object is left as it is, by label or annotation. */
export const isExempt = ({ metadata }: KubeObject) =>
  metadata.labels?.[SWITCH] === "disabled" || metadata.annotations?.[SWITCH] === "disabled";

export interface Outcome<T> {
  value: T;
  /** What stands wrong, with the path to it. */
  faults: { path: (string | number)[]; message: string }[];
}

/** The same object with every variable's value in place; a scalar that cannot be expanded stays as it is, and is a fault. */
export function substitute<T>(object: T, lookup: (name: string) => string | undefined): Outcome<T> {
  const faults: Outcome<T>["faults"] = [];
  const walk = (value: unknown, path: (string | number)[]): unknown => {
    if (typeof value === "string") return value.includes("$") ? scalar(value, path) : value;
    if (Array.isArray(value)) return value.map((one, index) => walk(one, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        const name = key.includes("$") ? scalar(key, [...path, key]) : key;
        return [String(name), walk(one, [...path, key])];
      }),
    );
  };
  const scalar = (text: string, path: (string | number)[]): unknown => {
    try {
      return readAgain(text, lookup);
    } catch (error) {
      faults.push({ path, message: (error as Error).message });
      return text;
    }
  };
  return hasVariables(object) ? { value: walk(object, []) as T, faults } : { value: object, faults };
}

/** Whether anything in it could be a variable or an escape; most objects have none and are not copied. */
export function hasVariables(value: unknown): boolean {
  if (typeof value === "string") return value.includes("${") || value.includes("$$");
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, one]) => hasVariables(key) || hasVariables(one));
}

function readAgain(text: string, lookup: (name: string) => string | undefined): unknown {
  const after = expand(text, lookup);
  if (after === text) return text;
  const style = styleOf(text);
  if (style !== "plain") return after; // quoted or a block: a text stays a text
  if (/^[[{"'&*!|>%@`]|: |:$| #|^[-?] /.test(after.trim())) return parse(after, { logLevel: "silent" }) as unknown;
  return readPlain(after.trim(), 2);
}

/** How yaml.v2 would write a text in a block: quoted where a plain scalar would be read as something else. */
function styleOf(text: string): "plain" | "quoted" | "block" {
  if (text.includes("\n")) return "block";
  if (typeof readPlain(text, 2) !== "string") return "quoted";
  if (/^\s|\s$|^[#,[\]{}&*!|>'"%@`]|^[-?:](\s|$)|:(\s|$)|\s#|^(---|\.\.\.)/.test(text)) return "quoted";
  return [...text].some((one) => one < " " && one !== "\t") ? "quoted" : "plain";
}
