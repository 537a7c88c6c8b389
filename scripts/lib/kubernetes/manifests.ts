// Splits Kubernetes manifests as text. A bundle of CRDs has megabytes, and parsing takes a second per megabyte.

/** The non-empty documents of a stream. */
export const documents = (text: string) =>
  text
    .split(/^---(?:[ \t].*)?$/m)
    .map((document) => document.trim())
    .filter((document) => document.split("\n").some((line) => line.trim() && !line.startsWith("#")));

export interface Head {
  kind: string;
  name: string;
}

/** Kind and name of a document in block style, as written by helm and controller-gen. */
export function headOf(document: string): Head | undefined {
  const kind = /^kind: *["']?([A-Za-z]+)/m.exec(document)?.[1];
  const metadata = /^metadata:\n((?:[ #].*\n?|\n)*)/m.exec(document)?.[1];
  const indent = /^( +)\S/m.exec(metadata ?? "")?.[1]; // the depth of the first key: deeper keys, such as a label called name, do not count
  const name = metadata && indent ? new RegExp(`^${indent}name: *["']?([^\\s"']+)`, "m").exec(metadata)?.[1] : undefined;
  return kind && name ? { kind, name } : undefined;
}

/** The CustomResourceDefinitions in rendered charts, each once: if two charts contain the same one, the first wins. */
export function customResourceDefinitions(rendered: string): { name: string; text: string }[] {
  const found = new Map<string, string>();
  for (const text of documents(rendered)) {
    const head = headOf(text);
    if (head?.kind === "CustomResourceDefinition" && !found.has(head.name)) found.set(head.name, text);
  }
  return [...found].map(([name, text]) => ({ name, text }));
}
