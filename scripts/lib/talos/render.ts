// Renders a node's machine config: the template for all nodes, the node's own documents merged over it, and secrets in place of references.
import { join } from "node:path";
import { type Node, PLATFORM } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure, textOf } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { refFor, renderIfThere, renderTemplate } from "../text/template.ts";
import { parseTyped, printDocuments, referencesOf, withValues } from "../text/yaml.ts";
import { deployableMinor } from "../cluster/versions.ts";
import { type Document, mergeDocuments } from "./merge.ts";
import { installerImage, readSchematic } from "./schematic.ts";

export const TEMPLATE = "talos/machineconfig.yaml.njk";
/** The node's own documents; most nodes have none. */
export const ownTemplate = (node: Node) => `talos/nodes/${node.name}.yaml.njk`;

type RenderContext = Pick<Context, "root" | "cluster" | "versions">;

/** The node's documents, with references in place of secrets. */
export async function renderDocuments(context: RenderContext, node: Node): Promise<Document[]> {
  const { root, cluster, versions } = context;
  const talosMinor = deployableMinor(versions);
  const schematic = await readSchematic(context);
  const variables = {
    ref: refFor(cluster),
    cluster,
    versions,
    talosMinor,
    node,
    platform: PLATFORM[cluster.hypervisor],
    installer: installerImage(context, schematic),
    discoveryRegistry: cluster.network.discovery.registry ?? null, // undefined would be an error
  };
  const base = await documentsOf(root, TEMPLATE, await renderTemplate(root, TEMPLATE, variables));
  const own = ownTemplate(node);
  const text = await renderIfThere(root, own, variables);
  if (text === undefined) return base;
  const patch = await documentsOf(root, own, text);
  try {
    return mergeDocuments(base, patch, talosMinor);
  } catch (error) {
    throw refused(own, textOf(error));
  }
}

async function documentsOf(root: string, file: string, text: string): Promise<Document[]> {
  const documents = await parseTyped(text, file);
  const other = documents.find(({ value }) => typeof value !== "object" || Array.isArray(value));
  if (other === undefined) return documents.map(({ value }) => value as Document);
  const what = Array.isArray(other.value)
    ? "this is a JSON patch (a list); write a strategic merge patch (a map, as in talosctl)"
    : "this is not a map; write a strategic merge patch, as for talosctl";
  throw refused(file, `${file}:${lineIn((await readIfThere(join(root, file))) ?? text, text, other.line)}: ${what}`);
}

/** The line of a template that became a line of its text: blocks and comments before it are not in the text. */
function lineIn(template: string, text: string, line: number): number {
  const content = text.split("\n")[line - 1];
  const lines = template.split("\n");
  const found = lines.indexOf(content!, line - 1);
  return found < 0 ? line : found + 1;
}

const refused = (file: string, said: string) =>
  new Failure({ attempted: `make a machine config of ${file}`, said, now: "nothing was changed", next: `fix ${file}` });

/** All references in the nodes' configs. */
export async function configReferences(context: RenderContext): Promise<string[]> {
  const all = await Promise.all(context.cluster.nodes.map((node) => renderDocuments(context, node)));
  return referencesOf(all);
}

/** The node's config as sent: byte-identical for identical inputs. Holds secrets. */
export async function renderNode(context: RenderContext & Pick<Context, "vault">, node: Node): Promise<string> {
  const documents = await renderDocuments(context, node);
  return printDocuments(withValues(documents, await context.vault.resolve(referencesOf(documents))));
}
