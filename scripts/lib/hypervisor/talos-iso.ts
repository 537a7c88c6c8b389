// The Talos ISO of this home: builds it at the image factory, sends it to the NAS, and verifies that it arrived.
import { megabytes } from "../http/download.ts";
import type { Http } from "../http/http.ts";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { retry } from "../run/retry.ts";
import { askImage, imageUrl, missingExtensions, postSchematic } from "../talos/factory.ts";
import { type ReadSchematic, readSchematic } from "../talos/schematic.ts";
import { faultOfIso, isoFile, readIsoState, sidecarPath, sidecarText } from "../truenas/iso.ts";
import type { Nas } from "../truenas/nas.ts";
import { UnknownOutcome } from "../truenas/refusal.ts";
import { UploadBroke } from "../truenas/upload.ts";
import { isoOf } from "./nas-state.ts";

const NEXT = "task talos:prepare-iso";

export interface IsoWanted {
  name: string;
  path: string;
  url: string;
  schematic: Pick<ReadSchematic, "id" | "text" | "extensions">;
}

/** The home's ISO: its name on the NAS, its URL at the factory, and its schematic. */
export async function wantedIso(context: Context): Promise<IsoWanted> {
  const schematic = await readSchematic(context);
  const { hypervisor } = context.cluster;
  return {
    ...isoOf(context, schematic),
    url: imageUrl(schematic.id, context.versions.TALOS_VERSION, isoFile(hypervisor, schematic)),
    schematic,
  };
}

/** The lines of the plan. */
export const describeIso = ({ path, url, schematic }: IsoWanted) => [
  `hand talos/schematic.yaml in to the image factory, expecting ID ${schematic.id}`,
  `stream ${url}`,
  `to the NAS: ${path}, and its checksum beside it`,
];

/** Builds and sends the ISO, and verifies that it arrived. */
export async function makeIso(context: Context, nas: Nas, http: Http, { name, path, url, schematic }: IsoWanted): Promise<void> {
  const { ui, versions } = context;
  const missing = await missingExtensions(http, versions.TALOS_VERSION, schematic.extensions);
  if (missing.length > 0) {
    throw new Failure({
      attempted: `build the ISO for Talos ${versions.TALOS_VERSION}`,
      said: `the image factory has no extension ${missing.join(", ")} for it`,
      now: "nothing was changed",
      next: "fix talos/schematic.yaml",
    });
  }
  const id = await postSchematic(http, schematic.text, NEXT);
  if (id !== schematic.id) {
    throw new Failure({
      attempted: "confirm the schematic's ID",
      said: `predicted here:   ${schematic.id}\nthe factory's own: ${id}`,
      now: "nothing was sent to the NAS",
      next: "task talos:schematic",
    });
  }
  const image = await askImage(http, url, context);
  if ("unknown" in image)
    throw new Failure({
      attempted: `have the image factory build ${url}`,
      said: image.unknown,
      now: "nothing was sent to the NAS",
      next: NEXT,
    });
  const sha256 = await send(context, nas, http, { name, path, url, size: image.size });
  const size = (await readIsoState(nas, path)).iso?.size;
  if (size !== image.size)
    throw new Failure({ attempted: `send ${name} to the NAS`, said: `${size ?? "no"} bytes arrived of ${image.size}`, next: NEXT });
  const note = Buffer.from(sidecarText(sha256, name));
  await believing(nas.upload({ path: sidecarPath(path), size: note.length, bytes: once(note), what: `${name}.sha256` }));
  const fault = faultOfIso(await readIsoState(nas, path), name, image.size);
  if (fault !== undefined) throw new Failure({ attempted: `put ${path} on the NAS`, said: fault, next: NEXT });
  ui.say(`${path} is there: ${megabytes(image.size)}, sha256 ${sha256}`);
}

const TRIES = 3;

/** Streams from the factory to the NAS; a NAS that went away in the middle gets it again from the start. Returns the SHA-256 of what passed. */
async function send(
  { ui }: Context,
  nas: Nas,
  http: Http,
  { name, path, url, size }: { name: string; path: string; url: string; size: number },
): Promise<string> {
  const isTransient = (error: unknown) => error instanceof UploadBroke;
  let broke = "";
  return retry({ tries: TRIES, isTransient }, async (attempt) => {
    if (attempt > 1) ui.say(`${broke}: sending ${name} again`);
    const sink = (bytes: AsyncIterable<Uint8Array>) => believing(nas.upload({ path, size, bytes, what: name }));
    try {
      return (await http.download(url, { size, name, sink })).sha256;
    } catch (error) {
      if (error instanceof UploadBroke) broke = error.account.said ?? error.message;
      throw error;
    }
  });
}

/** A file whose end nobody saw is looked at next anyway. */
async function believing(upload: Promise<void>): Promise<void> {
  try {
    await upload;
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
