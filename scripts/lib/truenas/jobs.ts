// Waits for a TrueNAS job, also across a reconnect: the result is read from the job's row.
import { Failure } from "../run/errors.ts";
import { type Probe, until } from "../run/wait.ts";
import type { Ui } from "../run/ui.ts";
import { NasRefused, UnknownOutcome } from "./refusal.ts";
import type { Session } from "./session.ts";

/** Methods that return a job id. */
export const JOBS: ReadonlySet<string> = new Set(["vm.stop", "vm.restart", "vm.device.convert", "filesystem.put", "core.job_wait"]);

/** A row of `core.get_jobs`. */
export interface Job {
  id: number;
  method: string;
  state: "WAITING" | "RUNNING" | "SUCCESS" | "FAILED" | "ABORTED";
  progress?: { percent: number | null; description: string | null } | null;
  result?: unknown;
  error?: string | null;
  exc_info?: { errno?: number | null; extra?: unknown } | null;
  time_started?: { $date: number } | null;
}

const FINAL: ReadonlySet<Job["state"]> = new Set(["SUCCESS", "FAILED", "ABORTED"]);

export interface JobWait {
  id: number;
  method: string;
  what: string;
  seconds: number;
  ui: Pick<Ui, "progress">;
  signal: AbortSignal;
}

/** Waits for the end of a job and returns its result. Throws NasRefused when it failed, UnknownOutcome when its row is gone or another job's. */
export async function awaitJob(session: Pick<Session, "ask" | "jobs">, wait: JobWait): Promise<unknown> {
  const { id, method, what, seconds, ui, signal } = wait;
  let started: number | undefined;
  const look = async (): Promise<Job | undefined> => {
    const told = session.jobs.newest(id) as Job | undefined; // a RUNNING event may be the last one of a closed connection
    return told && FINAL.has(told.state) ? told : ((await session.ask("core.get_jobs", [[["id", "=", id]]], signal)) as Job[])[0];
  };
  try {
    return await until(
      async (): Promise<Probe<unknown>> => {
        const job = await look();
        const at = job?.time_started?.$date;
        if (!job || job.method !== method || (started !== undefined && at !== undefined && at !== started)) {
          throw new UnknownOutcome(`the outcome of ${method} ${what} is unknown: TrueNAS no longer lists the job`);
        }
        started ??= at;
        const end = ended(job, `${method} ${what}`);
        if (end) return { ready: end.result };
        return { waiting: describe(job) };
      },
      { for: `${method} ${what}`, seconds, ui, signal, news: () => session.jobs.next(id) },
    );
  } catch (error) {
    if (error instanceof Failure && !(error instanceof NasRefused))
      throw new UnknownOutcome(`the outcome of ${method} ${what} is unknown: ${error.account.said}`, { cause: error });
    throw error;
  }
}

/** The result in an object when the job succeeded; undefined while it runs. Throws NasRefused when it failed. */
export function ended(job: Job, what: string): { result: unknown } | undefined {
  if (job.state === "SUCCESS") return { result: job.result };
  if (!FINAL.has(job.state)) return undefined;
  throw new NasRefused(
    job.method,
    {
      code: -32001,
      message: job.state,
      data: { error: job.exc_info?.errno ?? 14, reason: job.error ?? job.state, extra: job.exc_info?.extra },
    },
    what,
  );
}

const describe = ({ state, progress }: Job) =>
  [state.toLowerCase(), progress?.percent != null && `${progress.percent} %`, progress?.description].filter(Boolean).join(", ");
