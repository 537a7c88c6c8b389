// The fields that ExternalSecrets read against the fields that are declared.
import { nearest } from "../text/nearest.ts";
import type { Declared } from "./declared.ts";
import type { NeededSecret } from "./external-secrets.ts";

export interface Comparison {
  /** The declared entries that something reads. */
  used: Declared[];
  /** Declared entries that nothing reads. */
  unused: Declared[];
  /** What is read and not declared, with the name that was probably meant. */
  undeclared: (NeededSecret & { close?: string | undefined })[];
}

/** An ExternalSecret that takes a whole item reads all of its declared fields. A PushSecret of the tree fills its item itself. */
export function compare(declared: readonly Declared[], needed: readonly NeededSecret[]): Comparison {
  const items = new Map<string, Declared[]>();
  for (const one of declared) items.set(one.item, [...(items.get(one.item) ?? []), one]);
  const ofItem = ({ item }: NeededSecret) => item.split("|").flatMap((one) => items.get(one) ?? []);
  const read = new Set(needed.flatMap((one) => ofItem(one).filter(({ field }) => one.field === undefined || one.field === field)));
  return {
    used: declared.filter((one) => read.has(one)),
    unused: declared.filter((one) => !read.has(one)),
    undeclared: needed.flatMap((one) => {
      const own = ofItem(one);
      if (one.pushed || (one.field === undefined ? own.length > 0 : own.some(({ field }) => field === one.field))) return [];
      const close =
        own.length === 0
          ? nearest(one.item, [...items.keys()])
          : nearest(
              one.field ?? "",
              own.map(({ field }) => field),
            );
      return [{ ...one, close }];
    }),
  };
}
