// Checks the public hosts that the bootstrap needs, and this machine's clock against their answers.
import { Failure, textOf } from "../../run/errors.ts";
import { type HttpContext, openHttp } from "../../http/http.ts";
import type { Verdict } from "../../run/gates.ts";

/** Hosts and their purpose. Any HTTP status means that the host was reached: a registry answers 401 without credentials. */
export const HOSTS: [url: string, why: string][] = [
  ["https://factory.talos.dev/versions", "Talos' installer images"],
  ["https://quay.io/v2/", "charts of Cilium and cert-manager"],
  ["https://ghcr.io/v2/", "the other charts"],
];

/** A larger difference breaks TLS certificates and etcd members. */
const SKEW_SECONDS = 30;

export interface HostAnswer {
  url: string;
  why: string;
  /** The minimum number of seconds by which this machine's clock is ahead of the host's, negative if behind; undefined if the host sends no time. */
  ahead?: number | undefined;
  error?: string;
}

/** Two verdicts from the same answers: one on the hosts, one on the clock. */
export function hostsVerdict(answers: HostAnswer[]): Verdict {
  const failed = answers.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return { state: "ok", saw: answers.map(({ url }) => new URL(url).host).join(", ") };
  return {
    state: "bad",
    saw: failed.map(({ url, why, error }) => `${new URL(url).host} (${why}): ${error}`).join("\n"),
    fix: "check this machine's network and proxy",
  };
}

export function clockVerdict(answers: HostAnswer[]): Verdict {
  const known = answers.flatMap(({ ahead }) => (ahead === undefined ? [] : [ahead])).sort((a, b) => a - b);
  if (known.length === 0) return { state: "unknown", saw: "no host told the time" };
  const median = known[Math.floor(known.length / 2)]!;
  const saw = `${Math.abs(median)} s ${median < 0 ? "behind" : "ahead"}`;
  return Math.abs(median) <= SKEW_SECONDS
    ? { state: "ok", saw }
    : { state: "bad", saw, fix: "set this machine's clock: timedatectl set-ntp true" };
}

/** The host took its time between the request and the answer, so a slow answer says little about the clock. */
export function aheadOf(date: number, sent: number, received: number): number | undefined {
  if (Number.isNaN(date)) return undefined;
  const nearest = Math.min(Math.max(date, sent), received);
  return Math.round((nearest - date) / 1000);
}

/** Asks every host once, for both verdicts. */
export function askHosts(context: HttpContext, now = () => Date.now()): Promise<HostAnswer[]> {
  const http = openHttp(context);
  return Promise.all(
    HOSTS.map(async ([url, why]): Promise<HostAnswer> => {
      try {
        const sent = now();
        const date = Date.parse((await http.ask(url, { method: "HEAD", seconds: 10, patience: 10 })).header("date") ?? "");
        return { url, why, ahead: aheadOf(date, sent, now()) };
      } catch (error) {
        if (context.signal.aborted) throw error;
        return { url, why, error: error instanceof Failure ? (error.account.said ?? error.message) : textOf(error) };
      }
    }),
  );
}
