// Streams a file to the NAS: a multipart body of known length, authorised by a one-time token.
import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { Readable } from "node:stream";
import type { Agent } from "undici";
import { Failure, textOf } from "../run/errors.ts";
import { readJson } from "../run/tool-output.ts";
import { UnknownOutcome } from "./refusal.ts";
import { patient } from "../run/patience.ts";

export interface Upload {
  /** Its path on the NAS: `/mnt/flashstor/ISO/talos.iso`. Folders are created, an existing file is overwritten. */
  path: string;
  /** Size in bytes. */
  size: number;
  bytes: AsyncIterable<Uint8Array>;
  /** For the report and errors. */
  what: string;
}

const STALLED_SECONDS = 120;

/** POSTs to `/_upload` and returns the id of the job that writes the file. TrueNAS answers after it has read the whole body. */
export async function postUpload(
  line: { agent: Agent; host: string },
  token: string,
  { path, size, bytes, what }: Upload,
  signal: AbortSignal,
): Promise<number> {
  const { request } = await import("undici");
  const boundary = `home-ops-${randomUUID()}`;
  const [head, tail] = frame(boundary, path);
  const stalled = new AbortController();
  const watch = watchdog(patient(STALLED_SECONDS), () =>
    stalled.abort(new Error(`TrueNAS read no data for ${patient(STALLED_SECONDS)} s`)),
  );
  let whole = false;
  let broke: unknown;
  const body = async function* () {
    yield head;
    try {
      for await (const chunk of bytes) {
        watch.alive();
        yield chunk;
      }
    } catch (error) {
      broke = error;
      throw error;
    }
    yield tail;
    whole = true;
  };
  try {
    const answer = await request(`https://${line.host}/_upload`, {
      method: "POST",
      dispatcher: line.agent,
      signal: AbortSignal.any([signal, stalled.signal]),
      headers: {
        authorization: `Token ${token}`,
        "content-type": `multipart/form-data; boundary=${boundary}`,
        "content-length": String(head.length + size + tail.length),
      },
      body: Readable.from(body(), { objectMode: false }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Failure({ attempted: `upload ${what}`, said: `status ${answer.statusCode}: ${explain(answer.statusCode, text)}` });
    return readJson<{ job_id: number }>(text, { command: "POST /_upload on TrueNAS" }, { job_id: 0 }).job_id;
  } catch (error) {
    if (broke !== undefined) throw broke;
    if (error instanceof Failure || signal.aborted) throw error;
    if (whole) throw new UnknownOutcome(`whether ${what} was written is unknown: ${textOf(error)}`, { cause: error });
    throw new UploadBroke(what, textOf(error));
  } finally {
    watch.stop();
  }
}

/** The connection closed before the whole file was sent: the file on the NAS is incomplete until the upload is repeated. */
export class UploadBroke extends Failure {
  override name = "UploadBroke";
  constructor(what: string, said: string) {
    super({ attempted: `upload ${what}`, said, now: "the file on the NAS is incomplete" });
  }
}

/** The multipart text before and after the bytes of the file. The order of the parts is fixed. */
export function frame(boundary: string, path: string): [head: Buffer, tail: Buffer] {
  const call = JSON.stringify({ method: "filesystem.put", params: [path, { mode: 0o644 }] });
  const head = [
    `--${boundary}`,
    'Content-Disposition: form-data; name="data"',
    "",
    call,
    `--${boundary}`,
    `Content-Disposition: form-data; name="file"; filename="${basename(path)}"`,
    "Content-Type: application/octet-stream",
    "",
    "",
  ].join("\r\n");
  return [Buffer.from(head), Buffer.from(`\r\n--${boundary}--\r\n`)];
}

const explain = (status: number, text: string) =>
  status === 403 || status === 401 ? `${text.trim()} (writing files needs the role FULL_ADMIN)` : text.trim();

function watchdog(seconds: number, bark: () => void) {
  let timer = setTimeout(bark, seconds * 1000);
  return {
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(bark, seconds * 1000);
    },
    stop: () => clearTimeout(timer),
  };
}
