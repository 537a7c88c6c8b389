// Where the stand-in executables call in: one connection per command line, one JSON message per line.
import { appendFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type Call, type Tool, Untaught } from "../world/tool.ts";
import type { World } from "../world/world.ts";

/** What is kept of each command line; no values of the environment, and nothing of stdin. */
export interface Seen {
  at: number;
  tool: string;
  argv: string[];
  /** Names only. */
  env: string[];
  cwd: string;
  exit: number;
  ms: number;
}

export interface CliServer {
  /** Command lines that are being answered now. */
  busy(): number;
  close(): Promise<void>;
}

interface Setup {
  socket: string;
  world: World;
  /** Finds the tool of that name; undefined when there is none. */
  find(tool: string): Promise<Tool | undefined>;
}

interface First {
  tool: string;
  argv: string[];
  env: Record<string, string>;
  cwd: string;
}

type Reply = { id: number; text: string } | { id: number; error: Error };

/** Serves stand-ins on a unix socket until it is closed. Command lines are kept in `<folder>/commands.ndjson`, except the home's own verbs. */
export async function serveTools({ socket, world, find }: Setup): Promise<CliServer> {
  const open = new Set<Socket>();
  let busy = 0;
  const server = createServer((connection) => {
    open.add(connection);
    connection.on("close", () => open.delete(connection));
    connection.on("error", () => connection.destroy()); // a stand-in that was killed: the home goes on with what it was told
    serve(connection, async (first, call) => {
      if (first.tool !== "home") busy += 1;
      const started = performance.now();
      const at = world.now();
      const exit = await answer(world, await find(first.tool), first, call);
      if (first.tool !== "home") busy -= 1;
      if (first.tool !== "home") {
        const seen: Seen = {
          at,
          tool: first.tool,
          argv: first.argv,
          env: Object.keys(first.env).sort(),
          cwd: first.cwd,
          exit,
          ms: Math.round(performance.now() - started),
        };
        appendFileSync(join(world.folder, "commands.ndjson"), `${JSON.stringify(seen)}\n`, { mode: 0o600 });
      }
      return exit;
    });
  });
  await listen(server, socket);
  return {
    busy: () => busy,
    async close() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const listen = (server: Server, path: string) =>
  new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });

async function answer(world: World, tool: Tool | undefined, { tool: name, argv }: First, call: Call): Promise<number> {
  const untaught = (hint = "") => call.err(`stand-in ${name} was not taught: ${[name, ...argv].join(" ")}${hint && ` (${hint})`}\n`);
  if (!tool) {
    untaught();
    return 70;
  }
  try {
    return await tool(world, call);
  } catch (error) {
    if (error instanceof Untaught) {
      untaught(error.message);
      return 70;
    }
    call.err(`stand-in ${name} broke: ${error instanceof Error ? error.stack : String(error)}\n`);
    return 70;
  }
}

/** Reads what the stand-in says; the first message starts the command, the others are its replies. */
function serve(connection: Socket, run: (first: First, call: Call) => Promise<number>): void {
  const waiting = new Map<number, { resolve(text: string): void; reject(error: Error): void }>();
  const send = (message: object) => void (connection.writable && connection.write(`${JSON.stringify(message)}\n`));
  let next = 1;
  const request = (message: object) =>
    new Promise<string>((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      send({ id, ...message });
    });
  const callOf = ({ argv, env, cwd }: First): Call => ({
    argv,
    env,
    cwd,
    read: (path) => request({ read: path }),
    stdin: () => request({ stdin: true }),
    async write(path, content, mode = 0o644) {
      await request({ write: path, ...(Buffer.isBuffer(content) ? { bytes: content.toString("base64") } : { text: content }), mode });
    },
    out: (out) => send({ out }),
    err: (err) => send({ err }),
  });
  const settle = (reply: Reply) => {
    const waits = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) waits?.reject(Object.assign(new Error(reply.error.message), reply.error));
    else waits?.resolve(reply.text);
  };
  connection.on("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the stand-in is gone"));
  });
  let rest = "";
  connection.setEncoding("utf8");
  connection.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as First | Reply;
      if ("tool" in message) void run(message, callOf(message)).then((exit) => send({ exit }));
      else settle(message);
    }
  });
}
