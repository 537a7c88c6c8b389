// Opens the context of a run: the home it acts on, the terminal, the vault, the ledger, the report.
import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { effectsSoFar, openGate } from "./effects.ts";
import { UsageError } from "./errors.ts";
import type { Options } from "./options.ts";
import { readPatience } from "./patience.ts";
import { openReport, silentReport } from "./report.ts";
import { openShell } from "./shell.ts";
import { StateFolderError } from "./state-folder.ts";
import { terminal, type Ui } from "./ui.ts";
import type { Common } from "./command-line.ts";
import type { Procedure } from "./spec.ts";
import type { Context } from "./context.ts";
import type { Known } from "../secrets/entries.ts";

/** The nearest folder, from `from` upwards, that has a versions.env; `from` itself when there is none. */
export function findRoot(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "versions.env"))) return folder;
    if (dirname(folder) === folder) return resolve(from);
  }
}

/** Opens everything that a run needs, zx last; `close` writes the end of the report. */
export async function openContext<O extends Options>(
  spec: Procedure<O>,
  common: Common,
  { words, rest }: { words: string[]; rest: string[] },
  caller: NodeJS.ProcessEnv,
  signal: AbortSignal,
) {
  const started = performance.now();
  readPatience(caller.HOME_OPS_PATIENCE); // reports an invalid value before anything else happens
  const root = findRoot(process.cwd());
  const env = withDefaults(root, caller);
  const state = env.HOME_OPS_STATE!;
  const ui = terminal({
    dryRun: common.dryRun,
    yes: common.yes,
    confirmed: common.confirm,
    json: common.json,
    collected: common.collected,
    debug: common.debug,
    signal,
    question: process.stdin.isTTY ? (text) => askPerson(text, signal) : undefined,
  });
  common.say = ui.say;
  const { versions, cluster } = spec.cluster === false ? withoutHome(spec.name) : await loadHome(root, caller, ui);
  const report = common.dryRun ? silentReport : openReport(state, spec.name);
  openGate(report, common.dryRun, signal);
  report.write({ event: "start", procedure: spec.name, words, dryRun: common.dryRun });
  for (const gate of common.waive) report.write({ event: "waived", gate });
  if (spec.cluster !== false) {
    const { closeCredentials } = await import("./credential-modes.ts");
    await closeCredentials({ env, ui, dryRun: common.dryRun });
  }
  await openShell({ signal, env, cwd: root, debug: common.debug ? ui.debug : undefined });
  const { openLedger } = await import("../ledger/ledger.ts");
  const { openVault } = await import("../secrets/vault.ts");
  const { confirm } = await import("./confirm.ts");
  const { askGates } = await import("./gates.ts");
  let known: Promise<Known> | undefined;
  const context: Context = {
    root,
    cluster,
    versions,
    ui,
    dryRun: common.dryRun,
    rest,
    waive: common.waive,
    confirm: (decide) => confirm(context, spec, decide),
    checkGates: (plan) => askGates(context, spec.gates ?? [], plan, spec.name),
    env,
    vault: openVault(env, () => (known ??= import("../secrets/tree.ts").then(({ knownSecrets }) => knownSecrets(root, cluster)))),
    ledger: openLedger(state),
    holds: [],
    report,
    signal,
  };
  const close = (code: number, message?: string) => {
    try {
      report.write({
        event: "end",
        ok: code === 0,
        code,
        ...(message !== undefined && { message }),
        ms: Math.round(performance.now() - started),
      });
    } catch (error) {
      if (!(error instanceof StateFolderError)) throw error;
      ui.warn(`the report of this run has no end: ${error.message}`);
    }
    if (common.debug) ui.debug(`${effectsSoFar()} effects${report.file ? `, report: ${report.file}` : ""}`);
  };
  return { context, close };
}

/** Variables that make helm use a cluster other than $KUBECONFIG's, or another namespace. */
const OUTRANKS = /^HELM_(KUBE|NAMESPACE)/;

/** The same defaults as .mise.toml, for shells without mise. */
function withDefaults(root: string, caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  for (const name of ["KUBECONFIG", "TALOSCONFIG"]) {
    if (caller[name]?.includes(delimiter))
      throw new UsageError(`${name} names several files: set it to the one of this home (kubectl would take another's first context)`);
  }
  const here = (name: string, file: string) => resolve(root, caller[name] || file);
  return {
    ...Object.fromEntries(Object.entries(caller).filter(([name]) => !OUTRANKS.test(name))),
    KUBECONFIG: here("KUBECONFIG", "kubeconfig"),
    TALOSCONFIG: here("TALOSCONFIG", "talosconfig"),
    SOPS_AGE_KEY_FILE: here("SOPS_AGE_KEY_FILE", "age.key"),
    HOME_OPS_STATE: here("HOME_OPS_STATE", ".home-ops"),
  };
}

async function loadHome(root: string, caller: NodeJS.ProcessEnv, ui: Ui): Promise<Pick<Context, "versions" | "cluster">> {
  const { readHome } = await import("../cluster/home.ts");
  return readHome(root, caller, ui.warn);
}

const withoutHome = (name: string): Pick<Context, "versions" | "cluster"> => ({
  versions: unavailable(name, "versions.env"),
  cluster: unavailable(name, "talos/cluster.yaml"),
});

const unavailable = <T extends object>(name: string, what: string): T =>
  new Proxy({} as T, {
    get: () => {
      throw new Error(`${name} runs without ${what} and must not ask for it`);
    },
  });

async function askPerson(text: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => process.kill(process.pid, "SIGINT")); // the terminal is in raw mode: Ctrl-C arrives as a key, not as a signal
  try {
    return await prompt.question(text, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new UsageError("no answer: nothing was changed");
  } finally {
    prompt.close();
  }
}
