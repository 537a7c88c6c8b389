// Kubernetes manifests as text: split without parsing, since a bundle of CRDs is megabytes and yaml takes a second per megabyte.

/** The documents of a stream, without empty ones. */
export const documents = (text: string) =>
  text
    .split(/^---(?:[ \t].*)?$/m)
    .map((document) => document.trim())
    .filter((document) => document.split("\n").some((line) => line.trim() && !line.startsWith("#")));

export interface Head {
  kind: string;
  name: string;
}

/** Kind and name of a document in block style, as helm and controller-gen write it. */
export function headOf(document: string): Head | undefined {
  const kind = /^kind: *["']?([A-Za-z]+)/m.exec(document)?.[1];
  const metadata = /^metadata:\n((?:[ #].*\n?|\n)*)/m.exec(document)?.[1];
  const indent = /^( +)\S/m.exec(metadata ?? "")?.[1]; // the first key's own depth: deeper ones, as a label called name, are not it
  const name = metadata && indent ? new RegExp(`^${indent}name: *["']?([^\\s"']+)`, "m").exec(metadata)?.[1] : undefined;
  return kind && name ? { kind, name } : undefined;
}

/** The CustomResourceDefinitions among rendered charts, each once: two charts may bring the same one, and the first listed wins. */
export function customResourceDefinitions(rendered: string): { name: string; text: string }[] {
  const found = new Map<string, string>();
  for (const text of documents(rendered)) {
    const head = headOf(text);
    if (head?.kind === "CustomResourceDefinition" && !found.has(head.name)) found.set(head.name, text);
  }
  return [...found].map(([name, text]) => ({ name, text }));
}
