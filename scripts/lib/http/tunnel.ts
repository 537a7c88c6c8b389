// Connects through an HTTP proxy: CONNECT, then TLS inside. undici's own ProxyAgent retries forever without a pause when the proxy closes a CONNECT.
import type { buildConnector } from "undici";
import { patient } from "../run/patience.ts";

const SECONDS = 15;

/** Connects for undici through `proxy`; `secure` sets up TLS to the host behind it. */
export function tunnelThrough(
  proxy: string,
  secure: buildConnector.connector,
  ca: readonly string[] | undefined,
): buildConnector.connector {
  const { protocol, hostname, port, username, password } = new URL(proxy);
  return (options, callback) => {
    const target = `${options.hostname}:${options.port || 443}`;
    void import(protocol === "https:" ? "node:https" : "node:http").then(({ request }: typeof import("node:https")) => {
      const login = username !== "" && {
        "proxy-authorization": `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`,
      };
      const connect = request({
        method: "CONNECT",
        host: hostname.replace(/^\[|\]$/g, ""),
        port: port || (protocol === "https:" ? 443 : 80),
        path: target,
        headers: { host: target, ...login },
        timeout: patient(SECONDS) * 1000,
        agent: false,
        ...(ca && { ca: [...ca] }),
      });
      const fail = (said: string, code: string) => callback(Object.assign(new Error(`the proxy ${said}`), { code }), null);
      connect.once("timeout", () =>
        connect.destroy(Object.assign(new Error(`no answer within ${patient(SECONDS)} s`), { code: "ETIMEDOUT" })),
      );
      connect.once("error", (error: NodeJS.ErrnoException) =>
        fail(`did not take CONNECT ${target}: ${error.message}`, error.code ?? "ECONNRESET"),
      );
      connect.once("response", ({ statusCode }) => fail(`refused CONNECT ${target} with status ${statusCode}`, "EPROXY"));
      connect.once("connect", ({ statusCode }, socket) => {
        if (statusCode === 200) return secure({ ...options, httpSocket: socket as never }, callback);
        socket.destroy();
        fail(`refused CONNECT ${target} with status ${statusCode}`, statusCode === 502 || statusCode === 503 ? "ECONNREFUSED" : "EPROXY");
      });
      connect.end();
    });
  };
}
