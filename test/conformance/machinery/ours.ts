// What the product makes of a patch, and the base that it is made for.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "../../../scripts/lib/talos/merge.ts";
import { mergeDocuments } from "../../../scripts/lib/talos/merge.ts";
import { renderDocuments } from "../../../scripts/lib/talos/render.ts";
import { parseTyped, printDocuments, referencesOf, withValues } from "../../../scripts/lib/text/yaml.ts";
import { testCluster } from "../../unit/test-cluster.ts";
import type { Minor } from "./ask.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** A version of each minor, with a Kubernetes that all of them support. */
export const versionsOf = (minor: Minor) => ({
  TALOS_VERSION: { 12: "v1.12.6", 13: "v1.13.9", 14: "v1.14.1" }[minor],
  KUBERNETES_VERSION: "v1.35.1",
  FLUX_VERSION: "v2.9.4",
});

/** The home's machine config for one version, with a value for each secret; `hypervisor` decides what else is in it. */
export async function homeConfig(minor: Minor, hypervisor: "truenas" | "vsphere" = "truenas", root = ROOT): Promise<Document[]> {
  const cluster = testCluster({ hypervisor });
  const documents = await renderDocuments({ root, cluster, versions: versionsOf(minor) }, cluster.nodes[0]!);
  return withValues(documents, new Map(referencesOf(documents).map((reference) => [reference, Buffer.from(reference).toString("base64")])));
}

/** The home's config with more in it that a patch can meet. */
export async function richConfig(minor: Minor): Promise<Document[]> {
  const file = join(import.meta.dirname, "base.yaml");
  return mergeDocuments(await homeConfig(minor), await documentsOf(readFileSync(file, "utf8")), minor);
}

export const documentsOf = async (text: string) => (await parseTyped(text, "a patch")).map(({ value }) => value as Document);

/** The text that the product would send, or why it refuses the patch. */
export async function patched(base: readonly Document[], patch: string, minor: Minor): Promise<{ text: string } | { refused: string }> {
  try {
    return { text: await printDocuments(mergeDocuments(base, await documentsOf(patch), minor)) };
  } catch (error) {
    return { refused: (error as Error).message };
  }
}
