// The NAS as procedures use it: `ask` reads, `act` changes, `upload` sends a file.
import { operatorVaultOf, reference } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { effect } from "../run/effects.ts";
import { Failure } from "../run/errors.ts";
import { hide } from "../run/redact.ts";
import { type Probe, until } from "../run/wait.ts";
import { readAddress } from "./address.ts";
import { readTrust } from "./certificate.ts";
import { type Line, openLine } from "./dial.ts";
import { awaitJob, JOBS } from "./jobs.ts";
import { login, type Roles } from "./login.ts";
import { isMethodAbsent, NasRefused, NoAnswer } from "./refusal.ts";
import { openSession, type Session } from "./session.ts";
import { postUpload, type Upload } from "./upload.ts";
import { chooseApi } from "./versions.ts";

export interface Act {
  /** The thing that changes, for the report and errors: "k8s_0". */
  what: string;
  /** How long a job may take. */
  seconds?: number;
}

export interface Nas {
  /** The API spoken: `v25.10.5`. */
  readonly api: string;
  readonly roles: Roles;
  /** A read; asked again when the connection goes. Throws NasRefused. */
  ask<T>(method: string, params?: readonly unknown[]): Promise<T>;
  /** A change, sent once; the end of a job is waited for. Throws NasRefused, or UnknownOutcome: then ask the world. */
  act<T>(method: string, params: readonly unknown[], act: Act): Promise<T>;
  /** Writes a file and waits until it is written. Throws NasRefused, UploadBroke, UnknownOutcome, or what the source of the bytes threw. */
  upload(file: Upload): Promise<void>;
  /** The same NAS for what must still be done after Ctrl-C. */
  withSignal(signal: AbortSignal): Nas;
  close(): Promise<void>;
}

export type NasContext = Pick<Context, "cluster" | "vault" | "ui" | "signal">;

const JOB_SECONDS = 600;

/** Connects to the NAS of this home with the credentials from the vault and logs in. Throws a Failure with the next command. */
export async function connectNas(context: NasContext): Promise<Nas> {
  const { cluster, ui, signal } = context;
  const fields = { host: "TRUENAS_HOST", username: "TRUENAS_USERNAME", key: "TRUENAS_API", certificate: "TRUENAS_CERTIFICATE" };
  const wanted = Object.values(fields).map((field) => reference(cluster, "nas", field));
  const values = await context.vault.resolve(wanted);
  const value = (field: string) => values.get(reference(cluster, "nas", field))!;
  const { items } = cluster.onepassword;
  const vault = operatorVaultOf(cluster);
  const store = `op item edit ${items.nas} --vault ${vault} ${fields.certificate}=FINGERPRINT`;

  const line = await openLine(
    readAddress(value(fields.host), fields.host),
    readTrust(value(fields.certificate), fields.certificate),
    store,
  );
  try {
    const credentials = { username: value(fields.username), key: value(fields.key), item: `op://${vault}/${items.nas}` };
    const start = async (version: string) => {
      const session = openSession({ dial: () => line.dial(version), login: (connection) => login(connection, credentials), ui });
      return { session, roles: await session.open(signal), version };
    };
    const listed = await listVersions(line, ui, signal);
    const api = chooseApi(listed);
    if (api.warning) ui.warn(api.warning);
    const { session, roles, version } = await withMachines(start, api.version, signal);
    return { ...calls(session, line, ui, signal), api: version, roles };
  } catch (error) {
    await line.close();
    throw error;
  }
}

const listVersions = (line: Line, ui: Context["ui"], signal: AbortSignal) =>
  until(
    async (): Promise<Probe<string[]>> => {
      try {
        return { ready: await line.versions() };
      } catch (error) {
        if (error instanceof NoAnswer) return { waiting: error.message };
        throw error;
      }
    },
    { for: "TrueNAS to answer", seconds: 20, ui, signal },
  );

interface Started {
  session: Session;
  roles: Roles;
  version: string;
}

/** Uses the chosen API version if it has VM methods, else the current one: older paths lack methods whose models were renamed. */
async function withMachines(start: (version: string) => Promise<Started>, version: string, signal: AbortSignal): Promise<Started> {
  const first = await start(version);
  if (await hasMachines(first.session, signal)) return first;
  first.session.close();
  const second = version === "current" ? undefined : await start("current");
  if (second && (await hasMachines(second.session, signal))) return second;
  second?.session.close();
  throw new Failure({
    attempted: "use TrueNAS' virtual machines",
    said: `its API ${version} has no vm.query (25.04.0 and 25.04.1 have none)`,
    next: "update TrueNAS to 25.04.2 or newer",
  });
}

async function hasMachines(session: Session, signal: AbortSignal): Promise<boolean> {
  try {
    await session.ask("vm.query", [[], { count: true }], signal);
    return true;
  } catch (error) {
    if (isMethodAbsent(error)) return false;
    if (error instanceof NasRefused) return true; // the method exists; the first real call reports the refusal
    throw error;
  }
}

function calls(session: Session, line: Line, ui: Context["ui"], signal: AbortSignal): Omit<Nas, "api" | "roles"> {
  const job = (method: string, what: string, seconds: number) => (id: unknown) =>
    awaitJob(session, { id: Number(id), method, what, seconds, ui, signal });
  return {
    ask: <T>(method: string, params: readonly unknown[] = []) => session.ask(method, params, signal) as Promise<T>,
    act: <T>(method: string, params: readonly unknown[], { what, seconds = JOB_SECONDS }: Act) =>
      session.act(method, params, what, signal, JOBS.has(method) ? job(method, what, seconds) : undefined) as Promise<T>,
    upload: (file) =>
      effect(
        "nas",
        `filesystem.put ${file.what}`,
        async () => {
          const token = (await session.ask("auth.generate_token", [300, {}, true, true], signal)) as string;
          hide([token]);
          await job("filesystem.put", file.what, JOB_SECONDS)(await postUpload(line, token, file, signal));
        },
        signal,
      ),
    withSignal(other) {
      return { ...this, ...calls(session, line, ui, other) } as Nas;
    },
    async close() {
      session.close();
      await line.close();
    },
  };
}
