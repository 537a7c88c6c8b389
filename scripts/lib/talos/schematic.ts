// The home's schematic: talos/schematic.yaml for its hypervisor, and the ID that the image factory will give it.
import { PLATFORM } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure, textOf } from "../run/errors.ts";
import { renderTemplate } from "../text/template.ts";
import { parseTyped } from "../text/yaml.ts";
import { readFields } from "./schematic-fields.ts";
import { canonical, idOf, type Schematic } from "./schematic-id.ts";

export const SCHEMATIC = "talos/schematic.yaml";

export interface ReadSchematic {
  /** 64 hex digits: predicted here, confirmed by the factory. */
  id: string;
  /** The YAML whose hash it is. */
  canonical: string;
  /** What is sent to the factory. */
  text: string;
  /** Its system extensions. */
  extensions: string[];
  /** Whether ISO and installer are the ones for secure boot. */
  secureboot: boolean;
}

/** Renders talos/schematic.yaml and predicts its ID. Throws a Failure for content that the factory refuses, or whose ID only the factory knows. */
export async function readSchematic({ root, cluster }: Pick<Context, "root" | "cluster">): Promise<ReadSchematic> {
  return schematicOf(await renderTemplate(root, SCHEMATIC, { cluster, platform: PLATFORM[cluster.hypervisor] }));
}

/** The same from the rendered text. */
export async function schematicOf(text: string): Promise<ReadSchematic> {
  const documents = await parseTyped(text, SCHEMATIC);
  if (documents.length > 1) throw refused(`${SCHEMATIC}:${documents[1]!.line}: a second document, the factory reads only the first`);
  const { schematic, wrong } = readFields(documents[0]?.value);
  if (wrong.length > 0) throw refused(wrong.join("\n"));
  try {
    const form = canonical(schematic);
    // the factory refuses a text without a document
    return { id: idOf(form), canonical: form, text: documents.length === 0 ? form : text, ...asks(schematic) };
  } catch (error) {
    throw refused(textOf(error));
  }
}

const asks = ({ customization: { systemExtensions, secureboot } = {} }: Schematic) => ({
  extensions: systemExtensions?.officialExtensions ?? [],
  secureboot: Boolean(secureboot?.enrollKeys) || Boolean(secureboot?.includeWellKnownCertificates),
});

const refused = (said: string) =>
  new Failure({ attempted: `predict the ID of ${SCHEMATIC}`, said, now: "nothing was changed", next: `fix ${SCHEMATIC}` });

type Image = Pick<ReadSchematic, "id" | "secureboot">;

/** The installer image of a schematic: the platform is part of its name, and the wrong one makes the node another platform's on its next boot. */
export const installerImage = ({ cluster, versions }: Pick<Context, "cluster" | "versions">, { id, secureboot }: Image) =>
  `factory.talos.dev/${PLATFORM[cluster.hypervisor].installer}${secureboot ? "-secureboot" : ""}/${id}:${versions.TALOS_VERSION}`;
