// The client of Talos' Image Factory, which builds images for a schematic.
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import type { HttpAnswer, Http } from "../http/http.ts";
import { readJson } from "../run/tool-output.ts";

const FACTORY = "https://factory.talos.dev";

/** Where the factory serves a file of a schematic: `metal-amd64.iso`. */
export const imageUrl = (schematic: string, version: string, file: string) => `${FACTORY}/image/${schematic}/${version}/${file}`;

/** Registers a schematic and returns its ID; the same text always has the same ID. Throws a Failure with the factory's error. */
export async function postSchematic(http: Http, text: string, next: string): Promise<string> {
  const answer = await http.act(`${FACTORY}/schematics`, {
    what: "talos/schematic.yaml",
    body: text,
    headers: { "content-type": "application/yaml" },
  });
  if (answer.status !== 201) throw refused("have the image factory take talos/schematic.yaml", answer, next);
  const { id } = readJson<{ id: string }>(answer.text, { command: `POST ${FACTORY}/schematics` }, { id: "" });
  if (!/^[0-9a-f]{64}$/.test(id)) throw refused("read the image factory's answer", answer, next);
  return id;
}

/** Whether the factory knows a schematic with this ID. Only reads. */
export async function knownToFactory(http: Http, id: string): Promise<boolean> {
  const answer = await http.ask(`${FACTORY}/schematics/${id}`);
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw refused("ask the image factory for the schematic", answer);
}

/** Extensions of the schematic that the factory does not have for this Talos version. It accepts them, and fails only when an image is requested. */
export async function missingExtensions(http: Http, version: string, wanted: readonly string[]): Promise<string[]> {
  if (wanted.length === 0) return [];
  const url = `${FACTORY}/version/${version}/extensions/official`;
  const answer = await http.ask(url);
  if (answer.status !== 200) throw refused(`list the extensions for Talos ${version}`, answer);
  const known = new Set(readJson<{ name: string }[]>(answer.text, { command: `GET ${url}` }, [{ name: "" }]).map(({ name }) => name));
  return wanted.filter((name) => !known.has(name));
}

export type ImageSeen = { size: number } | { unknown: string };

/**
 * Bytes of an image. The factory builds it before it answers, which takes minutes the first time; `seconds` is how long that may take.
 * `unknown` = it cannot say (yet): a schematic that was never handed in, a factory that does not answer.
 */
export async function askImage(
  http: Http,
  url: string,
  { ui, signal, seconds = 900, patience = 120 }: Pick<Context, "ui" | "signal"> & { seconds?: number; patience?: number },
): Promise<ImageSeen> {
  const started = performance.now();
  const tick = setInterval(
    () => ui.progress(`the image factory is building ${url.split("/").at(-1)} (${Math.round((performance.now() - started) / 1000)} s)`),
    2000,
  );
  try {
    const answer = await http.ask(url, { method: "HEAD", seconds, patience });
    const size = Number(answer.header("content-length"));
    if (answer.status === 200 && Number.isSafeInteger(size) && size > 0) return { size };
    return {
      unknown:
        answer.status === 404
          ? "the factory does not know this schematic or version yet"
          : `the factory answered with status ${answer.status}`,
    };
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure)) throw error;
    return { unknown: error.account.said ?? error.message };
  } finally {
    clearInterval(tick);
  }
}

const refused = (attempted: string, { status, text }: HttpAnswer, next?: string) =>
  new Failure({ attempted, said: `status ${status}: ${text.trim()}`, next });
