// Every stand-in executable: hands its words, environment and folder to the home, does what the home asks of it, and ends as the home says.
// Plain JavaScript and nothing but node:net and node:fs: it must start in under 60 ms. What it knows of a tool is its name.
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

const [tool, socket, ...argv] = process.argv.slice(2);
const home = connect(socket);
let ended = false;
let rest = "";

home.setEncoding("utf8");
home.on("connect", () => say({ tool, argv, env: process.env, cwd: process.cwd(), pid: process.pid }));
home.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) follow(JSON.parse(line));
});
home.on("error", (error) => lost(error.message));
home.on("close", () => ended || lost("it hung up"));
process.stdout.on("error", () => process.exit(141)); // whoever read us is gone

function say(message) {
  home.write(`${JSON.stringify(message)}\n`);
}

function lost(why) {
  process.stderr.write(`stand-in ${tool}: the simulated home at ${socket} does not answer: ${why}\n`);
  process.exit(71);
}

function follow({ out, err, exit, id, read, stdin, write, text, bytes, mode }) {
  if (out !== undefined) process.stdout.write(out);
  else if (err !== undefined) process.stderr.write(err);
  else if (read !== undefined) attempt(id, () => readFileSync(read, "utf8"));
  else if (write !== undefined) attempt(id, () => writeFileSync(write, text ?? Buffer.from(bytes, "base64"), { mode }));
  else if (stdin) void readAll(id);
  else if (exit !== undefined) {
    ended = true;
    process.exitCode = exit;
    home.destroy();
  }
}

function attempt(id, act) {
  try {
    say({ id, text: act() ?? "" });
  } catch ({ message, code, errno, syscall, path }) {
    say({ id, error: { message, code, errno, syscall, path } });
  }
}

async function readAll(id) {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += chunk;
  say({ id, text });
}
