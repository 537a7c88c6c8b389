// Downloads a URL as a stream: counts and hashes the bytes, stops when the source stalls, and restarts from zero when the connection breaks.
import { createHash } from "node:crypto";
import type { Response } from "undici";
import { Failure, textOf } from "../run/errors.ts";
import { patient } from "../run/patience.ts";
import type { Ui } from "../run/ui.ts";
import { type Probe, until } from "../run/wait.ts";

export interface Download<T> {
  /** Expected size in bytes, from a HEAD request; a stream that ends earlier is incomplete. */
  size: number;
  /** Name of the file, for progress. */
  name: string;
  /** Seconds without data after which the source counts as stalled. */
  idleSeconds?: number;
  /** Seconds during which a broken download is restarted. */
  patience?: number;
  /** Consumes the bytes; called once per try. */
  sink(bytes: AsyncGenerator<Uint8Array>): Promise<T>;
}

export interface Downloaded<T> {
  /** Lower-case hex. */
  sha256: string;
  size: number;
  /** Result of the sink. */
  value: T;
}

interface Source {
  signal: AbortSignal;
  ui: Pick<Ui, "progress">;
  open(deadline: AbortSignal): Promise<Response>;
  whyNot(error: unknown): string;
  mayPass(error: unknown): boolean;
}

/** The source ended early. A sink that fails because of it is not the cause. */
class BrokeOff extends Error {}

const HEADERS_SECONDS = 300;

/** Streams `url` into the sink. Throws the error of the sink, or a Failure when the source fails. */
export async function stream<T>(url: string, download: Download<T>, source: Source): Promise<Downloaded<T>> {
  const { signal, ui } = source;
  const { patience = 120, size, name } = download;
  return until(
    async (): Promise<Probe<Downloaded<T>>> => {
      const broken: { why?: string } = {};
      try {
        return { ready: await once(url, download, source, broken) };
      } catch (error) {
        if (signal.aborted || broken.why === undefined) throw error;
        return { waiting: `${broken.why}; restarting from zero` };
      }
    },
    { for: `${name} (${megabytes(size)}) to come whole`, seconds: patience, ui, signal },
  );
}

async function once<T>(
  url: string,
  { size, name, idleSeconds = 30, sink }: Download<T>,
  source: Source,
  broken: { why?: string },
): Promise<Downloaded<T>> {
  const stop = new AbortController();
  const cut = AbortSignal.any([source.signal, stop.signal]);
  const late = setTimeout(() => stop.abort(new Error("no answer")), patient(HEADERS_SECONDS) * 1000);
  try {
    const response = await source.open(cut).catch((error: unknown) => {
      if (error instanceof Failure) throw error;
      if (source.mayPass(error)) broken.why = source.whyNot(error);
      throw new Failure({ attempted: `download ${url}`, said: source.whyNot(error) }, { cause: error });
    });
    clearTimeout(late);
    if (!response.ok || !response.body) {
      if (response.status >= 500) broken.why = `status ${response.status}`;
      throw new Failure({ attempted: `download ${url}`, said: `status ${response.status}: ${await response.text()}` });
    }
    const hash = createHash("sha256");
    let count = 0;
    const reader = response.body.getReader();
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          const { done, value } = (await within(patient(idleSeconds), reader.read())) as { done: boolean; value?: Uint8Array };
          if (done || !value) break;
          count += value.length;
          if (count > size) throw new BrokeOff(`more than ${size} bytes came`);
          hash.update(value);
          source.ui.progress(`${name}: ${megabytes(count)} of ${megabytes(size)} (${Math.floor((count / size) * 100)} %)`);
          yield value;
        }
        if (count < size) throw new BrokeOff(`broke off after ${count} of ${size} bytes`);
      } catch (error) {
        broken.why =
          error instanceof BrokeOff ? error.message : `broke off after ${count} of ${size} bytes: ${source.whyNot(error) || textOf(error)}`;
        throw error;
      }
    };
    const value = await sink(bytes());
    return { sha256: hash.digest("hex"), size: count, value };
  } finally {
    clearTimeout(late);
    stop.abort(); // cancels a response that the sink did not read to the end
  }
}

/** Rejects when a read brings no data for so many seconds. */
async function within<T>(seconds: number, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BrokeOff(`nothing came for ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([reading, idle]);
  } finally {
    clearTimeout(timer);
  }
}

/** `301 MB`; 1 MB is 1,000,000 bytes. */
export const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000)} MB`;
