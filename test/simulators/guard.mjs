// Preloaded into the product's processes by NODE_OPTIONS of a simulated home. Nothing leaves the machine, every child process is recorded,
// and a run can be killed at a chosen effect. Plain JavaScript with few imports, because every process loads it.
import childProcess, { ChildProcess } from "node:child_process";
import dns from "node:dns";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import timers from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

const home = process.env.LAB_HOME;
if (home && isMainThread) {
  const append = fs.appendFileSync;
  const note = (file, facts) =>
    append(`${home}/${file}`, `${JSON.stringify({ pid: process.pid, script: process.argv[1], ...facts })}\n`, { mode: 0o600 });
  keepOnLoopback(note);
  writeDownChildren(note);
  killAtEffect(Number(process.env.LAB_KILL_AT_LINE ?? 0));
  hasten(Number(process.env.LAB_HASTE ?? 1));
  syncBuiltinESMExports();
  if (process.env.LAB_RUNS) await import("../lab/record/note.mjs");
}

function keepOnLoopback(note) {
  const isHere = (host) => host === undefined || host === "" || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
  const refuse = (what) => {
    note("refused.ndjson", { what });
    process.on("exit", () => (process.exitCode = 99));
    return Object.assign(new Error(`the guard of the simulated home refused ${what}`), { code: "EACCES" });
  };
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const first = Array.isArray(args[0]) ? args[0][0] : args[0];
    const host = typeof first === "object" ? first.host : typeof args[1] === "string" ? args[1] : undefined;
    const path = typeof first === "object" ? first.path : typeof first === "string" && !/^\d+$/.test(first);
    if (path || isHere(host)) return connect.apply(this, args);
    const error = refuse(`a connection to ${host}`);
    process.nextTick(() => this.destroy(error));
    return this;
  };
  for (const [library, last] of [
    [dns, (args, error) => args.at(-1)(error)],
    [dns.promises, (_args, error) => Promise.reject(error)],
  ]) {
    const lookup = library.lookup;
    library.lookup = (name, ...rest) => (isHere(name) ? lookup(name, ...rest) : last(rest, refuse(`a look-up of ${name}`)));
  }
}

/** Records arguments and the environment variables that differ from this process's, which are recorded once. */
function writeDownChildren(note) {
  const own = new Set(Object.entries(process.env).map(([name, value]) => `${name}=${value}`));
  note("spawned.ndjson", { file: process.execPath, args: process.argv.slice(1), env: [...own] });
  const write = (file, args, env) => note("spawned.ndjson", { file, args, env: env.filter((pair) => !own.has(pair)) });
  const spawn = ChildProcess.prototype.spawn;
  ChildProcess.prototype.spawn = function (options) {
    write(options.file, options.args, options.envPairs ?? []);
    return spawn.call(this, options);
  };
  for (const name of ["spawnSync", "execFileSync", "execSync"]) {
    const sync = childProcess[name];
    childProcess[name] = (file, ...rest) => {
      const args = Array.isArray(rest[0]) ? rest[0] : [];
      const { env = {} } = rest.find((one) => one && typeof one === "object" && !Array.isArray(one)) ?? {};
      write(
        file,
        args,
        Object.entries(env).map(([key, value]) => `${key}=${value}`),
      );
      return sync(file, ...rest);
    };
  }
}

/** Kills the process just before the n-th report line about an effect is written. */
function killAtEffect(n) {
  if (!n) return;
  const append = fs.appendFileSync;
  let seen = 0;
  fs.appendFileSync = (file, text, ...rest) => {
    if (typeof text === "string" && text.includes('"event":"effect"') && ++seen === n) process.kill(process.pid, "SIGKILL");
    return append(file, text, ...rest);
  };
}

/** Makes waits and their deadlines this many times faster, so that a run that waits in vain fails within seconds. Deadlines of commands do not change. */
function hasten(times) {
  if (times === 1) return;
  const now = performance.now.bind(performance);
  performance.now = () => now() * times;
  const wait = timers.setTimeout;
  timers.setTimeout = (ms, ...rest) => wait(ms / times, ...rest);
}
