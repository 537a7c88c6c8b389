// A schematic as the image factory's Go reads it: every field has a type, a scalar in a text field keeps its spelling, a field without a value is absent.
import { kindOf, OLD_WORDS, Plain } from "../text/go-scalar.ts";
import { nearest } from "../text/nearest.ts";
import type { Schematic } from "./schematic-id.ts";

/** A choice is a list of its words; the first is what an absent one means. */
type Type = "text" | "texts" | "flag" | "whole" | "byte" | "free" | "none" | readonly string[] | { items: Fields } | Fields;
interface Fields {
  [name: string]: Type;
}

const FIELDS: Fields = {
  owner: "none",
  overlay: { image: "text", name: "text", options: "free" },
  customization: {
    embeddedMachineConfiguration: "text",
    extraKernelArgs: "texts",
    meta: { items: { key: "byte", value: "text" } },
    systemExtensions: { officialExtensions: "texts" },
    bootloader: ["none", "dual-boot", "sd-boot", "grub"],
    secureboot: { enrollKeys: ["", "off", "manual", "if-safe", "force"], includeWellKnownCertificates: "flag" },
    diskImage: { sectorSize: "whole" },
  },
};

/** The schematic, and a line for each thing in it that the factory refuses. */
export function readFields(document: unknown): { schematic: Schematic; wrong: string[] } {
  const wrong: string[] = [];
  return { schematic: readStruct(document, FIELDS, "", wrong) as Schematic, wrong };
}

function read(value: unknown, type: Type, path: string, wrong: string[]): unknown {
  const refuse = (what: string) => void wrong.push(`${path}: ${what}, not ${shown(value)}`);
  if (type === "free") return value ?? {};
  if (type === "none") return isEmpty(value) ? undefined : wrong.push(`${path}: only the Enterprise edition of the factory takes it`);
  if (type === "text") return textOf(value) ?? refuse("a text");
  if (type === "flag") return flagOf(value) ?? refuse("true or false");
  if (type === "whole" || type === "byte") return numberOf(value, type === "byte" ? 255 : Number.MAX_SAFE_INTEGER) ?? refuse(NUMBERS[type]);
  if (type === "texts") return listOf(value, refuse)?.map((one, index) => read(one, "text", `${path}[${index}]`, wrong));
  if (isChoice(type)) return choiceOf(value, type) ?? refuse(inWords(type));
  if (isList(type)) return listOf(value, refuse)?.map((one, index) => readStruct(one, type.items, `${path}[${index}]`, wrong));
  return readStruct(value, type, path, wrong);
}

function readStruct(value: unknown, fields: Fields, path: string, wrong: string[]): object {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Plain) {
    wrong.push(`${path || "the schematic"}: a map of fields, not ${shown(value)}`);
    return {};
  }
  const prefix = path === "" ? "" : `${path}.`;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (Object.hasOwn(fields, key)) return [[key, read(inner, fields[key]!, `${prefix}${key}`, wrong)]];
      const close = nearest(key, Object.keys(fields));
      wrong.push(`${prefix}${key}: the factory knows no such field${close ? `, did you mean ${close}?` : ""}`);
      return [];
    }),
  );
}

const NUMBERS = { whole: "a whole number", byte: "a whole number from 0 to 255" };
const isChoice = (type: Type): type is readonly string[] => Array.isArray(type);
const isList = (type: Type): type is { items: Fields } => typeof type === "object" && "items" in type;
const isEmpty = (value: unknown) => value === null || value === undefined || value === "";

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return "";
  if (value instanceof Plain) return kindOf(value.text) === "time" ? undefined : value.text;
  return typeof value === "object" ? undefined : String(value);
}

/** A plain `yes` is true where a boolean is wanted. */
function flagOf(value: unknown): boolean | undefined {
  if (value === null || value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (!(value instanceof Plain)) return undefined;
  if (typeof value.value === "boolean") return value.value;
  return OLD_WORDS.has(value.text) ? /^(y|yes|on)$/i.test(value.text) : undefined;
}

function numberOf(value: unknown, highest: number): number | undefined {
  if (value === null || value === undefined) return 0;
  const number = value instanceof Plain ? value.value : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= highest ? number : undefined;
}

function choiceOf(value: unknown, choices: readonly string[]): string | undefined {
  if (value === null || value === undefined) return choices[0];
  const text = textOf(value);
  return choices.find((choice) => choice === text) ?? choices.find((choice) => choice === text?.toLowerCase());
}

function listOf(value: unknown, refuse: (what: string) => void): unknown[] | undefined {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.filter((one) => one !== null); // Go leaves them out
  refuse("a list");
  return undefined;
}

const inWords = (choices: readonly string[]) => {
  const words = choices.filter(Boolean);
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
};
const plain = ({ text }: Plain) => (kindOf(text) === "time" ? `the date ${text} (put it in quotes)` : text);
const shown = (value: unknown) =>
  Array.isArray(value) ? "a list" : value instanceof Plain ? plain(value) : typeof value === "object" ? "a map" : JSON.stringify(value);
