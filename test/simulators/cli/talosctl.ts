// The stand-in for talosctl: reads the words and hands them on. Offline commands stand in talosctl-offline.ts, those that call nodes in the others.
import { type Tool, Untaught } from "../world/tool.ts";
import { type Flag, readFlags, type Words } from "./flags.ts";
import { applyCommand, bootstrapCommand, kubeconfigCommand, versionCommand } from "./talosctl-nodes.ts";
import { etcdCommand, listCommand, serviceCommand, timeCommand } from "./talosctl-services.ts";
import { getCommand } from "./talosctl-get.ts";
import { genConfig, genSecrets, infoCommand, validateCommand } from "./talosctl-offline.ts";
import { type TalosCall, TalosError } from "./talosctl-client.ts";

/** What reaches a node. */
const REMOTE: Record<string, Flag> = {
  nodes: { is: "list", short: "n" },
  endpoints: { is: "list", short: "e" },
  talosconfig: { is: "text" },
  context: { is: "text" },
};
const INSECURE: Flag = { is: "switch", short: "i" };
const OUTPUT: Flag = { is: "text", short: "o" };

/** A command: the flags it takes besides what every command takes, and what it does; throws `TalosError` for what the real one prints before it exits 1. */
interface Command {
  flags: Record<string, Flag>;
  run(talos: TalosCall): Promise<void> | void;
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
  // flags may stand before the command; the words that name it are the first two that are none
  const { command, words } = find(call.argv);
  const rest = words.rest.slice(command.split(" ").length);
  try {
    await COMMANDS[command]!.run({ world, call, words, rest });
    return 0;
  } catch (error) {
    if (!(error instanceof TalosError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

function find(argv: string[]): { command: string; words: Words } {
  for (const command of Object.keys(COMMANDS)) {
    if (!command.split(" ").every((word) => argv.includes(word))) continue;
    let words: Words;
    try {
      words = readFlags(argv, { ...REMOTE, ...COMMANDS[command]!.flags });
    } catch (error) {
      if (argv[0] === command.split(" ")[0]) throw error;
      continue;
    }
    if (words.rest.slice(0, command.split(" ").length).join(" ") === command) return { command, words };
  }
  throw new Untaught();
}
