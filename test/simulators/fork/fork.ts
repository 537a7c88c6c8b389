// The operator's fork in a home: the parts of the repository that the product reads, copied once, and the executables that replace the real tools.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { layoutOf, NETWORK_TOOLS, TOOLS } from "../environment.ts";
import { shareCompiled } from "./compiled.ts";
import { whenPresent } from "../present.ts";
import { normalisedMac } from "../world/nas/device-rules.ts";
import { makeRepository, type Origin } from "./repository.ts";

const PARTS = ["talos", "bootstrap", "kubernetes", "templates", "versions.env", ".sops.yaml"];

/** Copies the repository if the home has none yet, and pushes it to the home's own remote. */
export function makeFork(folder: string, project: string): void {
  const { repo, user, state, tmp } = layoutOf(folder);
  for (const part of [user, state, tmp]) mkdirSync(part, { recursive: true, mode: 0o700 });
  shareCompiled(tmp);
  if (!existsSync(repo)) {
    mkdirSync(repo, { mode: 0o700 });
    for (const part of PARTS) if (existsSync(join(project, part))) cpSync(join(project, part), join(repo, part), { recursive: true });
    for (const file of EDITED) editTemplate(join(repo, file));
  }
  makeRepository(folder, originOf(folder));
}

/** The files with values of the template, which a newcomer edits first: talos/cluster.yaml, and where `task configure` writes the same. */
const EDITED = ["talos/cluster.yaml", "kubernetes/flux/cluster/ks.yaml", "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml"];
const OWN: readonly [from: RegExp, to: string][] = [
  [/github\.com\/example\//g, "github.com/operator/"],
  [/\bexample\.com\b/g, "homelab.test"],
  [/: example$/gm, ": operator"],
  [/00000000-0000-4000-8000-000000000000/g, "11111111-2222-4333-8444-555555555555"],
];

function editTemplate(file: string): void {
  const text = whenPresent(() => readFileSync(file, "utf8"));
  if (text !== undefined) writeFileSync(file, OWN.reduce((changed, [from, to]) => changed.replace(from, to), text)); // prettier-ignore
}

/** Files of the working tree that were changed or made since the fork was copied, and not changed there: what a person edits here is not seen there. */
export function editedSince(folder: string, project: string): string[] {
  const { repo } = layoutOf(folder);
  const files = PARTS.flatMap((part) => filesBelow(project, part));
  return files.filter((file) => {
    const [here, there] = [join(project, file), join(repo, file)];
    const seen = whenPresent(() => ({
      later: statSync(here).mtimeMs > statSync(there).mtimeMs,
      same: readFileSync(here).equals(readFileSync(there)),
    }));
    return seen === undefined || (seen.later && !seen.same);
  });
}

function filesBelow(root: string, path: string): string[] {
  const full = join(root, path);
  const stat = whenPresent(() => statSync(full));
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return (whenPresent(() => readdirSync(full)) ?? []).flatMap((name) => filesBelow(root, join(path, name)));
}

const STAND_IN = fileURLToPath(new URL("../cli/stand-in.bash", import.meta.url));
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The executables on the product's PATH: the real tools that were given, a stand-in for every other. Nobody else can read them, for they hold the token. */
export function writeTools(folder: string, door: { port: number; token: string }, real: Record<string, string> = {}): void {
  const { bin, calls } = layoutOf(folder);
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { mode: 0o700 });
  symlinkSync(process.execPath, join(bin, "node"));
  for (const tool of [...TOOLS, ...NETWORK_TOOLS]) {
    const file = join(bin, tool);
    writeFileSync(file, real[tool] === undefined ? standIn(tool, door) : through(tool, real[tool], calls));
    chmodSync(file, 0o700);
  }
}

const standIn = (tool: string, { port, token }: { port: number; token: string }) =>
  `#!/usr/bin/env bash\ntool=${tool} port=${port} token=${token}\n. ${quote(STAND_IN)}\n`;

/** Writes its words down, in one write so that two at once do not mix, and becomes the real tool. */
const through = (tool: string, real: string, calls: string) =>
  `#!/bin/sh\nunset NODE_OPTIONS\ncall=$(printf '%s\\037' ${tool} "$@"; printf '\\036')\nprintf %s "$call" >>${quote(calls)}\nexec ${quote(real)} "$@"\n`;

/** What the router of this home knows: the address that DHCP gives each MAC, as the operator entered them in both places. Others get one from the end of the network. */
export function leasesOf(folder: string): (mac: string) => string {
  const file = join(layoutOf(folder).repo, "talos/cluster.yaml");
  const known = new Map<string, string>();
  // as text, so that a MAC without separators is not read as a number
  collect(parse(whenPresent(() => readFileSync(file, "utf8")) ?? "", { schema: "failsafe" }), known);
  return (mac) => known.get(normalisedMac(mac)) ?? `192.168.121.${Number.parseInt(mac.slice(-2), 16)}`;
}

function collect(value: unknown, into: Map<string, string>): void {
  if (typeof value !== "object" || value === null) return;
  const { mac, address } = value as { mac?: unknown; address?: unknown };
  if (typeof mac === "string" && /[0-9a-f]/i.test(mac) && typeof address === "string") into.set(normalisedMac(mac), address);
  for (const inner of Object.values(value)) collect(inner, into);
}

/** The vaults that the fork's cluster.yaml names: the cluster's, and the operator's when it is another. */
export function vaultsOf(folder: string): string[] {
  const { vault = "Infrastructure", operatorVault = vault } = clusterOf(folder)?.onepassword ?? {};
  return [...new Set([vault, operatorVault].map(String))];
}

/** Where the fork's cluster.yaml says that it is pushed to. */
function originOf(folder: string): Origin {
  const { url, branch } = clusterOf(folder)?.git ?? {};
  const isUrl = typeof url === "string" && URL.canParse(url);
  return { url: isUrl ? url : "https://github.com/operator/home-ops", branch: typeof branch === "string" ? branch : "main" };
}

/** cluster.yaml as somebody typed it; undefined where there is none, or nothing in it. */
function clusterOf(folder: string): Partial<Record<string, Record<string, unknown>>> | undefined {
  const text = whenPresent(() => readFileSync(join(layoutOf(folder).repo, "talos/cluster.yaml"), "utf8"));
  return (parse(text ?? "") as Partial<Record<string, Record<string, unknown>>> | null) ?? undefined;
}
