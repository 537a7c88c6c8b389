// Jobs: numbered from 1 since the server started, kept in memory only, told of by events.
import { errname, failed, notFound, type Refusal } from "../../world/nas/refusals.ts";
import { Refused } from "./refused.ts";

export interface JobRow {
  id: number;
  message_ids: unknown[];
  method: string;
  arguments: unknown[];
  transient: boolean;
  description: string | null;
  abortable: boolean;
  logs_path: null;
  logs_excerpt: null;
  progress: { percent: number | null; description: string | null; extra: null };
  result: unknown;
  result_encoding_error: null;
  error: string | null;
  exception: string | null;
  exc_info: { repr: string; type: string; errno: number | null; extra: unknown } | null;
  state: "WAITING" | "RUNNING" | "SUCCESS" | "FAILED" | "ABORTED";
  time_started: { $date: number } | null;
  time_finished: { $date: number } | null;
  credentials: { type: string; data: object } | null;
}

export interface JobSpec {
  method: string;
  arguments: unknown[];
  /** The call's id. */
  message?: unknown;
  account: string;
  /** Jobs of the same lock run one after the other. */
  lock?: string;
  abortable?: boolean;
  run(progress: (percent: number, description?: string) => void): Promise<unknown>;
}

export interface Jobs {
  /** Queues or starts a job and returns its number at once; its `added` event goes out before that. */
  start(spec: JobSpec): number;
  rows(): JobRow[];
  /** Resolves with the row when the job has ended; rejects with Refused when there is none. */
  ended(id: number): Promise<JobRow>;
  /** Refuses a job that has begun and cannot be aborted. */
  abort(id: number): void;
  /** The middleware restarts: no job is remembered, numbers begin again. */
  forget(): void;
}

const KEPT = 1000;
const QUEUE = 5;

interface Job {
  row: JobRow;
  lock: string | undefined;
  end: Promise<JobRow>;
  finish(): void;
}

/** `tell` carries events to whoever subscribed to them. */
export function openJobs(now: () => number, tell: (msg: "added" | "changed", row: JobRow) => void): Jobs {
  let jobs: Job[] = [];
  let next = 1;
  const find = (id: number) => {
    const job = jobs.find(({ row }) => row.id === id);
    if (!job) throw new Refused(notFound("Job", id));
    return job;
  };
  const change = (job: Job, fields: Partial<JobRow>) => {
    Object.assign(job.row, fields);
    if (jobs.includes(job)) tell("changed", structuredClone(job.row));
  };
  const end = (job: Job, fields: Partial<JobRow>) => {
    change(job, { ...fields, time_finished: { $date: now() } });
    job.finish();
  };
  const run = async (job: Job, spec: JobSpec, before: Job | undefined) => {
    await before?.end;
    if (job.row.state === "ABORTED") return;
    change(job, { state: "RUNNING", time_started: { $date: now() } });
    try {
      const result = await spec.run((percent, description = "") => change(job, { progress: { percent, description, extra: null } }));
      if (isOpen(job.row)) end(job, { state: "SUCCESS", result: result ?? null, progress: { ...job.row.progress, percent: 100 } });
    } catch (error) {
      if (isOpen(job.row)) end(job, { state: "FAILED", ...failureOf(error) });
    }
  };
  return {
    start(spec) {
      const queue = spec.lock === undefined ? [] : jobs.filter(({ lock, row }) => lock === spec.lock && isOpen(row));
      if (queue.length > QUEUE) return queue.at(-1)!.row.id;
      let finish = () => {};
      const row = newRow(next++, spec);
      const done = new Promise<JobRow>((resolve) => void (finish = () => resolve(row)));
      const job: Job = { row, lock: spec.lock, end: done, finish };
      jobs = [...jobs.slice(-KEPT + 1), job];
      tell("added", structuredClone(row));
      void run(job, spec, queue.at(-1));
      return row.id;
    },
    rows: () => jobs.map(({ row }) => structuredClone(row)),
    ended: (id) => find(id).end,
    abort(id) {
      const job = find(id);
      if (job.row.state !== "WAITING" && !job.row.abortable) throw new Refused(failed("Job is not abortable"));
      if (isOpen(job.row)) end(job, { state: "ABORTED", error: "Job aborted" });
    },
    forget() {
      jobs = [];
      next = 1;
    },
  };
}

const isOpen = ({ state }: JobRow) => state === "WAITING" || state === "RUNNING";

const newRow = (id: number, { method, arguments: given, message, account, abortable = false }: JobSpec): JobRow => ({
  id,
  message_ids: message === undefined ? [] : [message],
  method,
  arguments: given,
  transient: false,
  description: null,
  abortable,
  logs_path: null,
  logs_excerpt: null,
  progress: { percent: 0, description: "", extra: null },
  result: null,
  result_encoding_error: null,
  error: null,
  exception: null,
  exc_info: null,
  state: "WAITING",
  time_started: null,
  time_finished: null,
  credentials: { type: "API_KEY", data: { username: account } },
});

function failureOf(error: unknown): Pick<JobRow, "error" | "exception" | "exc_info"> {
  const refusal: Refusal = error instanceof Refused ? error.refusal : failed(error instanceof Error ? error.message : String(error));
  const { reason, type, errno, extra } = refusal;
  const isList = type === "ValidationErrors";
  return {
    error: reason,
    exception: `Traceback (most recent call last):\nmiddlewared.service_exception.${type}: ${reason}\n`,
    exc_info: { repr: `${type}('${reason}')`, type: isList ? "VALIDATION" : type, errno: isList ? null : errno, extra },
  };
}

/** The result of a job that ended well; else its error, thrown as what it was. */
export function resultOf({ state, result, error, exc_info }: JobRow): unknown {
  if (state === "SUCCESS") return result;
  const errno = exc_info?.errno ?? 14;
  throw new Refused({
    code: -32001,
    errno,
    reason: error ?? `[${errname(errno)}] ${state}`,
    extra: null,
    type: exc_info?.type ?? "CallError",
  });
}
