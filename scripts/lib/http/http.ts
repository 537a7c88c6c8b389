// The HTTP client: reads have a deadline and are retried on transient errors, changes are effects, downloads are streams.
import { readFileSync } from "node:fs";
import type { Dispatcher, Response } from "undici";
import type { Context } from "../run/context.ts";
import { effect } from "../run/effects.ts";
import { Failure } from "../run/errors.ts";
import { patient } from "../run/patience.ts";
import { proxyFor } from "./proxy.ts";
import { type Download, type Downloaded, stream } from "./download.ts";
import { followRedirects } from "./redirects.ts";
import { tunnelThrough } from "./tunnel.ts";
import { TRANSIENT_CODES } from "../run/transient.ts";
import { type Probe, until } from "../run/wait.ts";

export interface HttpAnswer {
  status: number;
  /** Value of a header; names are case-insensitive. */
  header(name: string): string | undefined;
  text: string;
}

export interface Http {
  /** A read. Connection errors and statuses 429, 502, 503 and 504 are retried for `patience` seconds; each try has a deadline of `seconds`. */
  ask(url: string, options?: { method?: "GET" | "HEAD"; seconds?: number; patience?: number }): Promise<HttpAnswer>;
  /** A change: one effect, never retried. */
  act(
    url: string,
    options: { what: string; method?: "POST" | "PUT"; body: string; headers?: Record<string, string>; seconds?: number },
  ): Promise<HttpAnswer>;
  /** Streams a body into `sink`; a download that breaks restarts from zero. */
  download<T>(url: string, options: Download<T>): Promise<Downloaded<T>>;
}

export type HttpContext = Pick<Context, "env" | "signal" | "ui">;

const TRY_SECONDS = 30;
const PATIENCE_SECONDS = 15;
const AGAIN = new Set([429, 502, 503, 504]);

/** Creates the client. It loads and connects nothing before the first request; tests pass a `dispatcher`. */
export function openHttp(context: HttpContext, dispatcher?: Dispatcher): Http {
  const { signal, ui } = context;
  const routes = new Map<string, Dispatcher>();
  const send = async (
    url: string,
    init: { method: string; body?: string; headers?: Record<string, string>; signal: AbortSignal },
  ): Promise<Response> => {
    const { fetch } = await import("undici");
    const to = async (address: string, redirect: "manual" | "error") =>
      fetch(address, { ...init, redirect, dispatcher: dispatcher ?? (await route(new URL(address), context.env, routes)) });
    // a change goes only to the address in the plan
    return init.method === "GET" || init.method === "HEAD" ? followRedirects(url, (address) => to(address, "manual")) : to(url, "error");
  };
  const within = (seconds: number) => AbortSignal.any([signal, AbortSignal.timeout(patient(seconds) * 1000)]);
  return {
    ask: (url, { method = "GET", seconds = TRY_SECONDS, patience = PATIENCE_SECONDS } = {}) => {
      const started = performance.now();
      const last = () => performance.now() - started > patient(patience) * 1000;
      return until(
        async (): Promise<Probe<HttpAnswer>> => {
          try {
            const answer = await read(await send(url, { method, signal: within(seconds) }));
            return AGAIN.has(answer.status) && !last() ? { waiting: `status ${answer.status}` } : { ready: answer };
          } catch (error) {
            if (signal.aborted) throw error;
            if (error instanceof Failure) throw error;
            if (mayPass(error)) return { waiting: whyNot(error) };
            throw new Failure({ attempted: `${method} ${url}`, said: whyNot(error) }, { cause: error });
          }
        },
        { for: `${new URL(url).host} to answer ${method}`, seconds: patience, ui, signal, next: "the same command again, once it answers" },
      );
    },
    act: (url, { what, method = "POST", body, headers = {}, seconds = TRY_SECONDS }) =>
      effect(
        "http",
        `${method} ${url} ${what}`,
        async () => {
          try {
            return await read(await send(url, { method, body, headers, signal: within(seconds) }));
          } catch (error) {
            if (signal.aborted) throw error;
            throw new Failure({ attempted: `${method} ${url} (${what})`, said: whyNot(error) }, { cause: error });
          }
        },
        signal,
      ),
    download: (url, options) =>
      stream(url, options, { signal, ui, open: (deadline) => send(url, { method: "GET", signal: deadline }), whyNot, mayPass }),
  };
}

async function read(response: Response): Promise<HttpAnswer> {
  const text = await response.text();
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, text };
}

/** One connection pool per route: direct, or through a proxy. Trusts the CAs of Node and of SSL_CERT_FILE. */
async function route(url: URL, env: NodeJS.ProcessEnv, routes: Map<string, Dispatcher>): Promise<Dispatcher> {
  const proxy = proxyFor(url, env);
  const known = routes.get(proxy ?? "");
  if (known) return known;
  const { Agent, buildConnector } = await import("undici");
  const ca = await roots(env.SSL_CERT_FILE);
  const secure = buildConnector({ ...(ca && { secureContext: (await import("node:tls")).createSecureContext({ ca }) }) });
  // Each request sets its own deadline: the image factory sends no data for minutes while it builds.
  const made = new Agent({ connect: proxy ? tunnelThrough(proxy, secure, ca) : secure, headersTimeout: 0, bodyTimeout: 0 });
  routes.set(proxy ?? "", made);
  return made;
}

export async function roots(file: string | undefined): Promise<string[] | undefined> {
  if (!file) return undefined;
  const { rootCertificates } = await import("node:tls");
  return [...rootCertificates, readFileSync(file, "utf8")];
}

const mayPass = (error: unknown): boolean =>
  chain(error).some(({ code, name }) => TRANSIENT_CODES.has(String(code)) || name === "TimeoutError");

/** The innermost reason; the outer message is only `fetch failed`. */
const whyNot = (error: unknown): string => {
  const { name, code, message } = chain(error).at(-1)!;
  if (name === "TimeoutError") return "no answer in time";
  return message || String(code ?? error); // when several addresses refuse, the error has no message
};

interface Link {
  code?: string | number;
  name?: string;
  message?: string;
}

function chain(error: unknown): Link[] {
  const links: Link[] = [];
  for (
    let at: unknown = error;
    at instanceof Error && links.length < 8;
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined)
  )
    links.push(at as Link);
  return links.length > 0 ? links : [{ message: String(error) }];
}
