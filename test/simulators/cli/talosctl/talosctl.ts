// The stand-in for talosctl: reads the words and hands them on. Offline commands stand in talosctl-offline.ts, those that call nodes in the others.
import { type Tool, Untaught } from "../../world/tool.ts";
import { type Flag, readFlags } from "../flags.ts";
import { applyCommand, bootstrapCommand, kubeconfigCommand, versionCommand } from "./nodes.ts";
import { etcdCommand } from "./etcd.ts";
import { dmesgCommand, healthCommand, logsCommand, readCommand } from "./logs.ts";
import { rebootCommand, resetCommand, rollbackCommand, shutdownCommand, upgradeCommand } from "./power.ts";
import { listCommand, serviceCommand, timeCommand } from "./services.ts";
import { getCommand } from "./get.ts";
import { genConfig, genSecrets, infoCommand, validateCommand } from "./offline.ts";
import { type TalosCall, TalosError } from "./client.ts";

/** What reaches a node. */
const REMOTE: Record<string, Flag> = {
  nodes: { is: "list", short: "n" },
  endpoints: { is: "list", short: "e" },
  talosconfig: { is: "text" },
  context: { is: "text" },
};
const INSECURE: Flag = { is: "switch", short: "i" };
const OUTPUT: Flag = { is: "text", short: "o" };

/** Of the commands that follow a node until it is back. */
const FOLLOWED: Record<string, Flag> = { wait: { is: "switch" }, timeout: { is: "text" } };

/** A command: the flags it takes besides what every command takes, and what it does; returns an exit code when that is not 0, throws `TalosError` for what the real one prints before it exits 1. */
interface Command {
  flags: Record<string, Flag>;
  run(talos: TalosCall): Promise<number | void> | void;
}

const COMMANDS: Record<string, Command> = {
  version: {
    flags: { client: { is: "switch" }, short: { is: "switch" }, json: { is: "switch" }, insecure: INSECURE },
    run: versionCommand,
  },
  get: { flags: { output: OUTPUT, namespace: { is: "text" }, insecure: INSECURE }, run: getCommand },
  "apply-config": {
    flags: {
      file: { is: "text", short: "f" },
      mode: { is: "text", short: "m" },
      "dry-run": { is: "switch" },
      insecure: INSECURE,
      "cert-fingerprint": { is: "list" },
      timeout: { is: "text" },
    },
    run: applyCommand,
  },
  bootstrap: { flags: {}, run: bootstrapCommand },
  kubeconfig: {
    flags: { force: { is: "switch", short: "f" }, merge: { is: "switch", short: "m" }, "force-context-name": { is: "text" } },
    run: kubeconfigCommand,
  },
  etcd: { flags: {}, run: etcdCommand },
  service: { flags: {}, run: serviceCommand },
  services: { flags: {}, run: serviceCommand },
  reboot: { flags: { ...FOLLOWED, mode: { is: "text", short: "m" } }, run: rebootCommand },
  shutdown: { flags: { ...FOLLOWED, force: { is: "switch" } }, run: shutdownCommand },
  reset: {
    flags: {
      ...FOLLOWED,
      graceful: { is: "switch" },
      reboot: { is: "switch" },
      "system-labels-to-wipe": { is: "list" },
      "user-disks-to-wipe": { is: "list" },
      "wipe-mode": { is: "text" },
    },
    run: resetCommand,
  },
  rollback: { flags: {}, run: rollbackCommand },
  upgrade: {
    flags: {
      ...FOLLOWED,
      image: { is: "text", short: "i" },
      drain: { is: "switch" },
      "no-reboot": { is: "switch" },
      legacy: { is: "switch" },
      "reboot-mode": { is: "text", short: "m" },
      stage: { is: "switch", short: "s" },
      force: { is: "switch", short: "f" },
    },
    run: upgradeCommand,
  },
  read: { flags: {}, run: readCommand },
  dmesg: { flags: {}, run: dmesgCommand },
  logs: { flags: {}, run: logsCommand },
  health: { flags: { "wait-timeout": { is: "text" } }, run: healthCommand },
  list: { flags: {}, run: listCommand },
  time: { flags: { check: { is: "text", short: "c" } }, run: timeCommand },
  validate: {
    flags: { config: { is: "text", short: "c" }, mode: { is: "text", short: "m" }, strict: { is: "switch" } },
    run: validateCommand,
  },
  "gen secrets": {
    flags: { "output-file": OUTPUT, "talos-version": { is: "text" }, force: { is: "switch", short: "f" } },
    run: genSecrets,
  },
  "gen config": {
    flags: {
      "with-secrets": { is: "text" },
      "output-types": { is: "list", short: "t" },
      output: OUTPUT,
      "talos-version": { is: "text" },
      "kubernetes-version": { is: "text" },
      force: { is: "switch", short: "f" },
    },
    run: genConfig,
  },
  "config info": { flags: { output: OUTPUT }, run: infoCommand },
};

export const talosctl: Tool = async (world, call) => {
  try {
    const command = commandOf(call.argv);
    const words = readFlags(call.argv, { ...REMOTE, ...COMMANDS[command]!.flags });
    return (await COMMANDS[command]!.run({ world, call, words, rest: words.rest.slice(command.split(" ").length) })) ?? 0;
  } catch (error) {
    if (!(error instanceof TalosError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

/** The flags that every command takes, as they are typed. */
const EVERYWHERE = Object.entries(REMOTE).flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])]);

/** Finds the command as the real one does: before it, a flag that not every command takes is thought to have a value, be it a switch or not. */
function commandOf(argv: string[]): string {
  const words: string[] = [];
  let foreign: string | undefined;
  for (let at = 0; at < argv.length && argv[at] !== "--"; at += 1) {
    const word = argv[at]!;
    if (!word.startsWith("-")) words.push(word);
    else if (!word.includes("=") && (word.startsWith("--") || word.length === 2)) {
      if (words.length === 0 && !EVERYWHERE.includes(word)) foreign = word;
      at += 1;
    }
  }
  const command = [2, 1].map((length) => words.slice(0, length).join(" ")).find((name) => name in COMMANDS);
  if (command) return command;
  if (foreign === undefined) throw new Untaught();
  throw new TalosError(words[0] === undefined ? `unknown flag: ${foreign}` : `unknown command ${JSON.stringify(words[0])} for "talosctl"`);
}
