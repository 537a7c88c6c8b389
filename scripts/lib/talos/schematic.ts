// The home's schematic: talos/schematic.yaml for its hypervisor, and the ID that the image factory will give it.
import { PLATFORM } from "../cluster/cluster.ts";
import type { Context } from "../context.ts";
import { Failure, textOf } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { renderTemplate } from "../template.ts";
import { parseDocuments } from "../yaml.ts";
import { canonical, idOf, type Schematic } from "./schematic-id.ts";

export const SCHEMATIC = "talos/schematic.yaml";

export interface ReadSchematic {
  /** 64 hex digits: a prediction that the factory's answer confirms. */
  id: string;
  /** The YAML whose hash it is. */
  canonical: string;
  /** What is sent to the factory. */
  text: string;
}

/** Renders talos/schematic.yaml and predicts its ID. Throws a Failure for a field the factory does not know, and where only the factory can tell the ID. */
export async function readSchematic({ root, cluster }: Pick<Context, "root" | "cluster">): Promise<ReadSchematic> {
  const text = await renderTemplate(root, SCHEMATIC, { cluster, platform: PLATFORM[cluster.hypervisor] });
  const [schematic = {}] = (await parseDocuments(text, SCHEMATIC)) as Schematic[];
  const wrong = unknownFields(schematic, FIELDS);
  if (wrong.length > 0) throw refused(wrong.join("\n"));
  try {
    const form = canonical(schematic);
    return { id: idOf(form), canonical: form, text };
  } catch (error) {
    throw refused(textOf(error));
  }
}

const refused = (said: string) =>
  new Failure({ attempted: `predict the ID of ${SCHEMATIC}`, said, now: "nothing was changed", next: `mend ${SCHEMATIC}` });

/** The installer image of a schematic: the platform is part of its name, and the wrong one makes the node another platform's on its next boot. */
export const installerImage = ({ cluster, versions }: Pick<Context, "cluster" | "versions">, id: string) =>
  `factory.talos.dev/${PLATFORM[cluster.hypervisor].installer}/${id}:${versions.TALOS_VERSION}`;

interface Fields {
  [name: string]: Fields | true;
}
const FIELDS: Fields = {
  owner: true,
  overlay: { image: true, name: true, options: true },
  customization: {
    embeddedMachineConfiguration: true,
    extraKernelArgs: true,
    meta: true,
    systemExtensions: { officialExtensions: true },
    bootloader: true,
    secureboot: { enrollKeys: true, includeWellKnownCertificates: true },
    diskImage: { sectorSize: true },
  },
};

/** The factory refuses an unknown field, so it is told before anything is sent. */
function unknownFields(value: unknown, known: Fields | true, path = ""): string[] {
  if (known === true || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (Object.hasOwn(known, key)) return unknownFields(inner, known[key]!, `${path}${key}.`);
    const close = nearest(key, Object.keys(known));
    return [`${path}${key}: the factory knows no such field${close ? `, did you mean ${close}?` : ""}`];
  });
}
