// Receives command lines: those of the stand-in executables, which are recorded, and the home's own verbs, which other processes call on a unix socket.
import { appendFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Call, type Tool, Untaught } from "../world/tool.ts";
import type { World } from "../world/world.ts";
import { type CommandLine, openDoor } from "./stand-ins.ts";

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
  /** How the stand-in executables reach it. */
  door: { port: number; token: string };
  /** Command lines that are being answered now. */
  busy(): number;
  close(): Promise<void>;
}

interface Setup {
  socket: string;
  world: World;
  /** Finds the tool of that name; undefined if there is none. */
  find(tool: string): Promise<Tool | undefined>;
}

/** Serves both until it is closed. Command lines are kept in `<folder>/commands.ndjson`, except the home's own verbs. */
export async function serveTools({ socket, world, find }: Setup): Promise<CliServer> {
  let busy = 0;
  const run = async (line: CommandLine, call: Call): Promise<number> => {
    if (line.tool === "home") return answer(world, await find("home"), line, call);
    busy += 1;
    const started = performance.now();
    const at = world.now();
    const exit = await answer(world, await find(line.tool), line, call);
    busy -= 1;
    const { tool, argv, env, cwd } = line;
    const seen: Seen = { at, tool, argv, env: Object.keys(env).sort(), cwd, exit, ms: Math.round(performance.now() - started) };
    appendFileSync(join(world.folder, "commands.ndjson"), `${JSON.stringify(seen)}\n`, { mode: 0o600 });
    return exit;
  };
  const [door, verbs] = await Promise.all([openDoor(run), serveVerbs(socket, run)]);
  return { door, busy: () => busy, close: async () => void (await Promise.all([door.close(), verbs.close()])) };
}

async function answer(world: World, tool: Tool | undefined, { tool: name, argv }: CommandLine, call: Call): Promise<number> {
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

/** One JSON message per line: the command line comes in, what it prints and its exit code go out. */
async function serveVerbs(path: string, run: (line: CommandLine, call: Call) => Promise<number>): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on("close", () => open.delete(connection));
    connection.on("error", () => connection.destroy()); // the caller has ended
    const send = (message: object) => void (connection.writable && connection.write(`${JSON.stringify(message)}\n`));
    const none = () => Promise.reject(new Error("a verb reads and writes no files"));
    let text = "";
    connection.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (!text.endsWith("\n")) return;
      const line = JSON.parse(text) as CommandLine;
      text = "";
      const call: Call = { ...line, read: none, stdin: none, write: none, out: (out) => send({ out }), err: (err) => send({ err }) };
      void run(line, call).then((exit) => send({ exit }));
    });
  });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  return {
    async close() {
      for (const connection of open) connection.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
