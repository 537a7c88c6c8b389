// Where the stand-in executables call in: one loopback connection per command line, opened with the home's token. What they send and understand is in stand-in.bash.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { resolve } from "node:path";
import type { Call } from "../world/tool.ts";

/** A command line, as the stand-in got it. */
export interface CommandLine {
  tool: string;
  argv: string[];
  env: Record<string, string>;
  cwd: string;
}

export interface Door {
  port: number;
  /** Whoever opens a connection must know it; it lies in the executables, which nobody else can read. */
  token: string;
  close(): Promise<void>;
}

/** Answers every command line with what `answer` says and returns; a connection without the token is cut. */
export async function openDoor(answer: (line: CommandLine, call: Call) => Promise<number>): Promise<Door> {
  const token = randomBytes(16).toString("hex");
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy()); // a stand-in that was killed: the home goes on with what it was told
    serve(socket, token, answer);
  });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as { port: number }).port,
    token,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function serve(socket: Socket, token: string, answer: (line: CommandLine, call: Call) => Promise<number>): void {
  let received = Buffer.alloc(0);
  let wanted: ((line: string) => void) | undefined;
  let lost: ((error: Error) => void) | undefined;
  let started = false;
  socket.on("close", () => lost?.(new Error("the stand-in is gone")));
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (!started) {
      const line = readLine(received, token);
      if (line === "wrong") return void socket.destroy();
      if (line === undefined) return;
      started = true;
      received = Buffer.alloc(0);
      void answer(line, callOf(line)).then((exit) => socket.end(`exit ${exit}\n`));
    } else if (received.at(-1) === 10) {
      wanted?.(received.toString("latin1").slice(0, -1));
      received = Buffer.alloc(0);
    }
  });

  const send = (stream: "out" | "err", text: string) => {
    const bytes = Buffer.from(text);
    if (bytes.length > 0 && socket.writable) socket.write(Buffer.concat([Buffer.from(`${stream} ${bytes.length}\n`), bytes]));
  };
  const stdin = async (how: "stream" | "path") => {
    const line = await new Promise<string>((done, failed) => {
      [wanted, lost] = [done, failed];
      if (socket.destroyed) failed(new Error("the stand-in is gone"));
      else socket.write(`stdin ${how}\n`);
    });
    if (line.startsWith("=")) return Buffer.from(line.slice(1), "base64").toString("utf8");
    const message = `${line}: no such device or address, open '/dev/stdin'`;
    throw Object.assign(new Error(message), { code: line, errno: -6, syscall: "open", path: "/dev/stdin" });
  };
  const callOf = ({ argv, env, cwd }: CommandLine): Call => ({
    argv,
    env,
    cwd,
    read: async (path) => (path === "/dev/stdin" ? stdin("path") : from(path, () => readFileSync(resolve(cwd, path), "utf8"))),
    stdin: () => stdin("stream"),
    write: async (path, content, mode = 0o644) => from(path, () => writeFileSync(resolve(cwd, path), content, { mode })),
    out: (text) => send("out", text),
    err: (text) => send("err", text),
  });
}

/** The home runs as the same user on the same machine; an error names the path that was given. */
function from<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { message, path: opened } = error as NodeJS.ErrnoException;
    throw Object.assign(error as Error, { message: message.replace(`'${opened}'`, `'${path}'`), path });
  }
}

/** The command line, once all of it has come; "wrong" when it does not begin with the token. */
function readLine(bytes: Buffer, token: string): CommandLine | "wrong" | undefined {
  const expected = Buffer.from(`${token}\0`);
  const begins = bytes.subarray(0, expected.length);
  if (begins.length === expected.length && !timingSafeEqual(begins, expected)) return "wrong";
  if (!bytes.subarray(-2).equals(Buffer.from("\0\0"))) return undefined;
  const [, tool = "", cwd = "", count = "0", ...words] = bytes.toString("utf8").split("\0");
  const environment = words.slice(Number(count), -2);
  if (words.length < Number(count) + 2) return undefined;
  const env = Object.fromEntries(environment.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  return { tool, argv: words.slice(0, Number(count)), env, cwd };
}
