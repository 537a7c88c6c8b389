// The layout of a home's folder, and the environment of the product in it: an allow-list, so that nothing of the real environment gets in.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gitEnvironment } from "./fork/git-environment.ts";

/** What another process needs to know of a home: `<folder>/home.json`, there while the home is up. */
export interface HomeFile {
  pid: number;
  socket: string;
  nas: { port: number };
  proxy: { port: number };
  /** The checkout whose scripts are run, and which truenas version the NAS speaks. */
  project: string;
  truenas: string;
  /** How govc reaches the simulated ESXi or vCenter, if the home has one. */
  vsphere?: Record<string, string>;
  /** Whether the real command-line tools are used, and a real API server stands behind them. */
  real: boolean;
}

/** The stand-ins that every home has; those that were not taught anything yet refuse with exit 70 and win over a real one all the same. */
export const TOOLS = ["talosctl", "kubectl", "op", "helm", "helmfile", "flux", "govc", "sops", "home"];

/** Programs that open a connection by themselves: in a home each of them is a stand-in that refuses. */
export const NETWORK_TOOLS = ["ssh", "scp", "sftp", "curl", "wget"];

export const PROJECT = resolve(fileURLToPath(import.meta.url), "../../..");

export const layoutOf = (folder: string) => ({
  file: join(folder, "home.json"),
  bin: join(folder, "bin"),
  /** The fork: the repository that the operator edits, and the working folder of commands. */
  repo: join(folder, "repo"),
  /** The Git hosts that the home knows: bare repositories, as `<host>/<owner>/<name>.git`. */
  remotes: join(folder, "remotes"),
  /** What the simulated source-controller has fetched, by commit. */
  artifacts: join(folder, "artifacts"),
  user: join(folder, "user"),
  state: join(folder, "state"),
  tmp: join(folder, "tmp"),
  pki: join(folder, "pki"),
  kubeconfig: join(folder, "kubeconfig"),
  talosconfig: join(folder, "talosconfig"),
  ageKey: join(folder, "age.key"),
  authority: join(folder, "pki/ca.crt"),
  /** What the real tools were called with; the stand-ins' calls are in commands.ndjson. */
  calls: join(folder, "real-calls"),
});

export const readHomeFile = (folder: string) => JSON.parse(readFileSync(layoutOf(folder).file, "utf8")) as HomeFile;

/** The environment of a product process in this home. */
export function environmentOf(folder: string, extra: Record<string, string> = {}): Record<string, string> {
  const { bin, user, state, tmp, kubeconfig, talosconfig, ageKey, authority } = layoutOf(folder);
  const { proxy, vsphere } = readHomeFile(folder);
  return {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: user,
    USER: "operator",
    TMPDIR: tmp,
    TERM: process.env.TERM ?? "dumb",
    LANG: "C.UTF-8",
    HOME_OPS_STATE: state,
    XDG_STATE_HOME: join(user, ".local/state"),
    KUBECONFIG: kubeconfig,
    TALOSCONFIG: talosconfig,
    SOPS_AGE_KEY_FILE: ageKey,
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    NO_PROXY: "127.0.0.1,localhost",
    SSL_CERT_FILE: authority,
    NODE_OPTIONS: `--import ${pathToFileURL(join(PROJECT, "test/simulators/guard.mjs")).href}`,
    // a busy machine is not a fault of the product: deadlines only have to stop what hangs
    HOME_OPS_PATIENCE: "10",
    LAB_HOME: folder,
    ...(process.env.LAB_RUNS !== undefined && { LAB_RUNS: process.env.LAB_RUNS }), // where lab tests record every run
    ...gitEnvironment({ folder, ...layoutOf(folder) }),
    ...vsphere,
    ...extra,
  };
}

/** How a procedure is started in this home: `bootstrap:etcd` is scripts/bootstrap/etcd.ts, run from the fork. */
export function scriptIn(folder: string, name: string, words: string[] = []) {
  const script = join(readHomeFile(folder).project, "scripts", `${name.replace(":", "/")}.ts`);
  return {
    file: process.execPath,
    args: ["--import", import.meta.resolve("tsx"), script, ...words],
    cwd: layoutOf(folder).repo,
    env: environmentOf(folder),
  };
}
