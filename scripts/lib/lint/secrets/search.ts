// Known secrets in files of any name and kind: their own text, and everything that is encoded in it.
import { type Layer, layersOf } from "./layers.ts";
import type { SecretFault } from "./plain.ts";
import { keyStoreOf, type Shape, shapesIn, withoutEscapes } from "./shapes.ts";

/** Rules of others, asked for many texts at once. */
export type Vendors = (texts: readonly string[]) => Promise<Shape[][]>;

const FIX = "take it out and make a new one: everybody who has the history has this one";

/** What each of the files holds, once per line. */
export async function knownSecrets(files: readonly Buffer[], vendors?: Vendors): Promise<SecretFault[][]> {
  const layers = files.map((bytes) => [...layersOf(bytes)]);
  const found = (await vendors?.(layers.flat().map(({ text }) => withoutEscapes(text)))) ?? [];
  let next = 0;
  return layers.map((own) => faultsOf(own, found.slice(next, (next += own.length))));
}

function faultsOf(layers: readonly Layer[], vendors: readonly (readonly Shape[])[]): SecretFault[] {
  const found = new Map<number, string>();
  for (const [layer, { text, bytes, lineAt }] of layers.entries()) {
    const store = keyStoreOf(bytes);
    const shapes = [
      ...shapesIn(withoutEscapes(text)),
      ...(store === undefined ? [] : [{ index: 0, what: store }]),
      ...(vendors[layer] ?? []),
    ];
    for (const { index, what } of shapes) if (!found.has(lineAt(index))) found.set(lineAt(index), what);
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([line, what]) => ({ line, message: `holds ${what}`, fix: FIX }));
}
