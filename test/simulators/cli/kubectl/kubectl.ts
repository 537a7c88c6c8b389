// The stand-in for kubectl: parses the command line and calls the command. Reading commands are in get.ts, writing ones in write.ts.
import { type Tool, Untaught } from "../../world/tool.ts";
import { clusterOf, kubelets } from "../../world/talos/machines.ts";
import { type Flag, readFlags } from "../flags.ts";
import { type KubeCall, KubeError, reachApi } from "./client.ts";
import { diffCommand } from "./diff.ts";
import { getCommand, waitCommand } from "./get.ts";
import { applyCommand, cordonCommand, deleteCommand, patchCommand, scaleCommand, setWords } from "./write.ts";

const COMMON: Record<string, Flag> = {
  kubeconfig: { is: "text" },
  namespace: { is: "text", short: "n" },
  "all-namespaces": { is: "switch", short: "A" },
  "request-timeout": { is: "text" },
};
const OUTPUT: Flag = { is: "text", short: "o" };
const FILE: Flag = { is: "text", short: "f" };
const SELECTOR: Flag = { is: "text", short: "l" };
const IGNORE: Flag = { is: "switch" };

interface Command {
  flags: Record<string, Flag>;
  run(kube: KubeCall): Promise<void> | void;
}

const COMMANDS: Record<string, Command> = {
  version: { flags: { client: { is: "switch" }, output: OUTPUT }, run: version },
  get: {
    flags: {
      output: OUTPUT,
      filename: FILE,
      raw: { is: "text" },
      "ignore-not-found": IGNORE,
      selector: SELECTOR,
      "show-managed-fields": { is: "switch" },
    },
    run: getCommand,
  },
  apply: {
    flags: {
      "server-side": { is: "switch" },
      "force-conflicts": { is: "switch" },
      "field-manager": { is: "text" },
      filename: FILE,
      kustomize: { is: "text", short: "k" },
      "dry-run": { is: "text" },
      output: OUTPUT,
    },
    run: applyCommand,
  },
  diff: {
    flags: {
      "server-side": { is: "switch" },
      "force-conflicts": { is: "switch" },
      "field-manager": { is: "text" },
      filename: FILE,
    },
    run: diffCommand,
  },
  wait: {
    flags: { for: { is: "text" }, timeout: { is: "text" }, all: { is: "switch" }, selector: SELECTOR, filename: FILE },
    run: waitCommand,
  },
  delete: {
    flags: { filename: FILE, "ignore-not-found": IGNORE, wait: { is: "text" }, timeout: { is: "text" }, all: { is: "switch" } },
    run: deleteCommand,
  },
  annotate: {
    flags: { overwrite: { is: "switch" }, "field-manager": { is: "text" } },
    run: (kube) => setWords(kube, "annotations", "annotated"),
  },
  label: { flags: { overwrite: { is: "switch" } }, run: (kube) => setWords(kube, "labels", "labeled") },
  scale: { flags: { replicas: { is: "text" } }, run: scaleCommand },
  cordon: { flags: {}, run: (kube) => cordonCommand(kube, true) },
  uncordon: { flags: {}, run: (kube) => cordonCommand(kube, false) },
  "cluster-info": { flags: {}, run: clusterInfo },
  patch: {
    flags: { type: { is: "text" }, "field-manager": { is: "text" }, patch: { is: "text", short: "p" }, "patch-file": { is: "text" } },
    run: patchCommand,
  },
};

export const kubectl: Tool = async (world, call) => {
  const name = call.argv.find((word, at) => word in COMMANDS && !/^(-n|--namespace|--kubeconfig)$/.test(call.argv[at - 1] ?? ""));
  const command = name === undefined ? undefined : COMMANDS[name];
  if (!command) throw new Untaught("this command of kubectl");
  const words = readFlags(call.argv, { ...COMMON, ...command.flags });
  if (words.rest[0] !== name) throw new Untaught(`kubectl ${words.rest[0]}`);
  const kube = { world, call, words, rest: words.rest.slice(1) };
  try {
    await command.run(kube);
    return 0;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.message) call.err(`${error.message}\n`);
    return 1;
  }
};

const CLIENT = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.5",
  gitTreeState: "clean",
  goVersion: "go1.25.5",
  compiler: "gc",
  platform: "linux/amd64",
};

async function version(kube: KubeCall): Promise<void> {
  const { world, call, words } = kube;
  const server = words.on("client") ? undefined : (await reachApi(kube), clusterOf(world.state) && kubelets(world)[0]?.kubelet);
  const output = words.text("output");
  if (output !== undefined && output !== "json") throw new Untaught(`--output ${output}`);
  if (output === "json")
    call.out(
      `${JSON.stringify({ clientVersion: CLIENT, kustomizeVersion: "v5.8.1", ...(server && { serverVersion: { ...CLIENT, gitVersion: server } }) }, null, 2)}\n`,
    );
  else call.out(`Client Version: ${CLIENT.gitVersion}\nKustomize Version: v5.8.1\n${server ? `Server Version: ${server}\n` : ""}`);
}

async function clusterInfo(kube: KubeCall): Promise<void> {
  await reachApi(kube);
  kube.call.out(
    `Kubernetes control plane is running at ${clusterOf(kube.world.state)?.endpoint}\n\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n`,
  );
}
