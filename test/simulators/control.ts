// Talks to a home in another process, over the socket that its stand-ins use.
import { connect } from "node:net";
import { readHomeFile } from "./environment.ts";

export { environmentOf, layoutOf, scriptIn } from "./environment.ts";
export { editedSince } from "./fork/fork.ts";

/** Runs a verb of a home. Throws the home's error. */
export function askHome(folder: string, verb: string, args: object = {}): Promise<unknown> {
  const { socket } = readHomeFile(folder);
  return new Promise((resolve, reject) => {
    const home = connect(socket);
    let text = "";
    home.setEncoding("utf8");
    home.on("connect", () => home.write(`${JSON.stringify({ tool: "home", argv: [verb, JSON.stringify(args)], env: {}, cwd: folder })}\n`));
    home.on("error", reject);
    home.on("data", (chunk: string) => (text += chunk));
    home.on("close", () => {
      const messages = text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { out?: string; err?: string; exit?: number });
      const said = (key: "out" | "err") => messages.map((message) => message[key] ?? "").join("");
      if (messages.at(-1)?.exit === 0) resolve(JSON.parse(said("out")));
      else reject(new Error(said("err").trim() || `the home in ${folder} hung up`));
    });
    home.on("data", () => {
      if (text.endsWith("\n") && text.includes('"exit":')) home.end();
    });
  });
}
