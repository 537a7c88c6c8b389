// The one way to a node's machine config: the template for all, the node's own documents over it, secrets in place of their references.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Node, PLATFORM } from "../cluster/cluster.ts";
import type { Context } from "../context.ts";
import { refFor, renderTemplate, type Variables } from "../template.ts";
import { parseDocuments, printDocuments, referencesOf, withValues } from "../yaml.ts";
import { type Document, mergeDocuments } from "./merge.ts";
import { installerImage, readSchematic } from "./schematic.ts";

const TEMPLATE = "talos/machineconfig.yaml.njk";
/** What one node needs besides; most have none. */
const ownTemplate = (node: Node) => `talos/nodes/${node.name}.yaml.njk`;

type RenderContext = Pick<Context, "root" | "cluster" | "versions">;

/** The node's documents with references where secrets will be. */
export async function renderDocuments(context: RenderContext, node: Node): Promise<Document[]> {
  const { root, cluster, versions } = context;
  const { id } = await readSchematic(context);
  const variables = {
    ref: refFor(cluster),
    cluster,
    versions,
    node,
    platform: PLATFORM[cluster.hypervisor],
    installer: installerImage(context, id),
    discoveryRegistry: cluster.network.discovery.registry ?? null, // undefined would be an error
  };
  const base = await documentsOf(root, TEMPLATE, variables);
  const own = ownTemplate(node);
  return existsSync(join(root, own)) ? mergeDocuments(base, await documentsOf(root, own, variables)) : base;
}

const documentsOf = async (root: string, file: string, variables: Variables) =>
  (await parseDocuments(await renderTemplate(root, file, variables), file)) as Document[];

/** Every reference that the nodes' configs hold. */
export async function configReferences(context: RenderContext): Promise<string[]> {
  const all = await Promise.all(context.cluster.nodes.map((node) => renderDocuments(context, node)));
  return referencesOf(all);
}

/** The node's config as it is sent: byte for byte the same for the same inputs. Holds secrets. */
export async function renderNode(context: RenderContext & Pick<Context, "vault">, node: Node): Promise<string> {
  const documents = await renderDocuments(context, node);
  return printDocuments(withValues(documents, await context.vault.resolve(referencesOf(documents))));
}
