// Everything that can be known before anything is changed, asked at once and shown whole.
import { join } from "node:path";
import type { Context } from "../lib/run/context.ts";
import { Failure, textOf } from "../lib/run/errors.ts";
import { gitGate } from "../lib/flux/git.ts";
import type { Gate, Verdict } from "../lib/run/gates.ts";
import type { Check, Result } from "../lib/bootstrap/preflight/verdict.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { eachOf } = await toAct(() => import("../lib/run/at-once.ts"));
const { knownToFactory } = await toAct(() => import("../lib/talos/factory.ts"));
const { openHttp } = await toAct(() => import("../lib/http/http.ts"));
const { readIfThere } = await toAct(() => import("../lib/run/files.ts"));
const { disagreements, inWords } = await toAct(() => import("../lib/tree/agreement.ts"));
const { lookAtGit } = await toAct(() => import("../lib/bootstrap/preflight/git.ts"));
const { askHosts, clockVerdict, hostsVerdict } = await toAct(() => import("../lib/bootstrap/preflight/hosts.ts"));
const { lookAtTools } = await toAct(() => import("../lib/bootstrap/preflight/tools.ts"));
const { runChecks } = await toAct(() => import("../lib/bootstrap/preflight/verdict.ts"));
const { resourceReferences } = await toAct(() => import("../lib/bootstrap/resources.ts"));
const { AGE_KEY, ageDisagreements } = await toAct(() => import("../lib/secrets/age.ts"));
const { lookAtSignIn } = await toAct(() => import("../lib/secrets/op.ts"));
const { secretsOfHome } = await toAct(() => import("../lib/secrets/tree.ts"));
const { reference } = await toAct(() => import("../lib/cluster/cluster.ts"));
const { homeToRead, stageOf } = await toAct(() => import("../lib/talos/node.ts"));
const { readSchematic } = await toAct(() => import("../lib/talos/schematic.ts"));
const { configReferences } = await toAct(() => import("../lib/talos/render.ts"));
const { table } = await toAct(() => import("../lib/run/ui.ts"));
const { validateAll } = await toAct(() => import("../lib/talos/validate.ts"));

/** Every secret that the bootstrap will need, and those that the cluster asks for once Flux is there, by one process. */
export async function fetchSecrets(context: Context): Promise<Verdict> {
  const { cluster, root, vault } = context;
  const { item, field } = AGE_KEY;
  const [configs, resources, { references: tree }] = await Promise.all([
    configReferences(context),
    resourceReferences(context),
    secretsOfHome(root, cluster),
  ]);
  const [now, later] = await Promise.allSettled([
    vault.resolve([...configs, ...resources, reference(cluster, item, field)]),
    vault.resolve(tree.keys()),
  ]);
  if (now.status === "rejected") throw now.reason;
  const saw = `${now.value.size} references resolve`;
  if (later.status === "fulfilled") return { state: "ok", saw: `${saw}, and ${later.value.size} that the cluster asks for` };
  return {
    state: "warning",
    saw: `${saw}; some of the ${tree.size} that the cluster needs do not, and the applications that use them wait`,
    fix: "task secrets:check",
  };
}

async function lookAtConfigs(context: Context): Promise<Verdict> {
  const wrong = await validateAll(context);
  return wrong.length
    ? { state: "bad", saw: wrong.join("\n"), fix: "task talos:validate" }
    : { state: "ok", saw: `${context.cluster.nodes.length} are valid` };
}

/** A node that does not answer yet is no obstacle: the configs stage waits for it. One of another cluster is. */
export async function lookAtNodes(context: Context): Promise<Verdict> {
  const { home, unknown } = await homeToRead(context);
  const stages = await eachOf(context.cluster.nodes, async (node) => ({ node, seen: await stageOf(home, node) }));
  const saw = stages.map(({ node, seen }) => `${node.name} ${seen.stage}`).join(", ");
  const foreign = stages.flatMap(({ node, seen }) =>
    seen.stage === "foreign" ? [`${node.name} belongs to another cluster: ${seen.said}`] : [],
  );
  if (foreign.length) return { state: "bad", saw: foreign.join("\n"), fix: "check addresses in talos/cluster.yaml, and $TALOSCONFIG" };
  if (unknown !== undefined) return { state: "unknown", saw: `${saw}\n${unknown}` };
  return stages.some(({ seen }) => seen.stage === "unreachable") ? { state: "unknown", saw } : { state: "ok", saw };
}

/** Nodes pull their installer by the schematic's ID: one that the factory never got sends each of them back to where it was, minutes later. */
async function lookAtInstaller(context: Context): Promise<Verdict> {
  const { id } = await readSchematic(context);
  const known = await knownToFactory(openHttp(context), id).catch((error: unknown) => textOf(error));
  if (typeof known === "string") return { state: "unknown", saw: `the factory could not be asked: ${known.split("\n")[0]}` };
  return known
    ? { state: "ok", saw: `the factory knows schematic ${id.slice(0, 12)}` }
    : { state: "bad", saw: `the factory does not know schematic ${id.slice(0, 12)}`, fix: "task talos:prepare-iso" };
}

async function lookAtAge(context: Context): Promise<Verdict> {
  const { wrong } = await ageDisagreements(context);
  return wrong.length
    ? { state: "bad", saw: wrong.join("\n"), fix: "task secrets:init" }
    : { state: "ok", saw: "vault, .sops.yaml and key file agree" };
}

/** Every copy of the home's values under kubernetes/, where Flux reads them. */
export async function lookAtTree({ root, cluster, versions }: Context): Promise<Verdict> {
  const wrong = await disagreements(cluster, versions, (file) => readIfThere(join(root, file)));
  return wrong.length
    ? { state: "bad", saw: wrong.map(inWords).join("\n"), fix: "task configure, then commit and push" }
    : { state: "ok", saw: "says what talos/cluster.yaml and versions.env say" };
}

/** The checks as gates: WAIVE= takes their names. */
export const PREFLIGHT_GATES: readonly Gate[] = [
  { name: "tools", about: "talosctl, kubectl, helm, helmfile, flux and op are installed in versions that fit" },
  { name: "1password", about: "somebody is signed in to 1Password" },
  { name: "secrets", about: "every reference that the bootstrap needs resolves" },
  { name: "age-key", about: "vault, .sops.yaml and key file hold the same age key" },
  { name: "configs", about: "every machine config renders and is valid" },
  { name: "kubernetes", about: "kubernetes/ agrees with talos/cluster.yaml and versions.env" },
  gitGate,
  { name: "nodes", about: "no node belongs to another cluster" },
  { name: "installer", about: "the image factory knows the schematic" },
  { name: "hosts", about: "the image factory and the chart registries answer" },
  { name: "clock", about: "this machine's clock is right" },
];

/** The checks, each by the name that WAIVE= takes. What several need is asked once: the secrets by one process, the hosts by one round. */
export function checks(context: Context): Check[] {
  const signedIn = lookAtSignIn(context); // alone and first: while its app waits for a finger, nothing else is heard
  const secrets = signedIn.then(() => fetchSecrets(context));
  const hosts = signedIn.then(
    () => askHosts(context),
    () => askHosts(context),
  );
  for (const shared of [signedIn, hosts, secrets]) shared.catch(() => {}); // those that share it await it
  const withSecrets =
    (look: Check["look"]): Check["look"] =>
    async (own) => {
      const there = await secrets.then(
        () => true,
        () => false,
      );
      return there ? look(own) : { state: "unknown", saw: "the secrets are not there" };
    };
  const afterSecrets =
    (look: Check["look"]): Check["look"] =>
    async (own) => {
      await secrets.catch(() => {}); // another check reports it; this one then says what it does not know
      return look(own);
    };
  return [
    { name: "tools", look: ({ versions }) => lookAtTools(versions) },
    { name: "1password", look: () => signedIn },
    { name: "secrets", look: () => secrets },
    { name: "age-key", look: withSecrets(lookAtAge) },
    { name: "configs", look: withSecrets(lookAtConfigs) },
    { name: "kubernetes", look: lookAtTree },
    { name: "git", look: lookAtGit },
    { name: "nodes", look: afterSecrets(lookAtNodes) },
    { name: "installer", look: lookAtInstaller },
    { name: "hosts", look: async () => hostsVerdict(await hosts) },
    { name: "clock", look: async () => clockVerdict(await hosts) },
  ];
}

const row = ({ name, state, saw, waived }: Result) => [name, waived ? "waived" : state, saw.split("\n").join("\n                     ")];

/** Every result, the good ones too. */
export const showChecks = (results: Result[]) => table(["check", "state", "seen"], results.map(row));

export const preflight = procedure({
  name: "bootstrap:preflight",
  about: "check tools, secrets, configs, Git, nodes and hosts",
  options: {},
  scope: "none",
  readOnly: true,
  gates: PREFLIGHT_GATES,
  async run(_values, context) {
    const results = await runChecks(checks(context), context);
    context.ui.result(results, showChecks(results));
    refuseBad(results);
  },
});

/** Throws when something stands in the way, with everything that does and the command that mends the first. */
export function refuseBad(results: Result[]): void {
  const bad = results.filter(({ state, waived }) => state === "bad" && !waived);
  if (bad.length === 0) return;
  const said = bad.map(({ name, saw, fix }) => `${name}: ${saw}${fix ? ` (${fix})` : ""}`).join("\n");
  throw new Failure({
    failed: `${bad.length} of ${results.length} preflight checks failed`,
    said,
    now: "nothing was changed",
    next: `${bad[0]!.fix ?? "fix this"}, then: task bootstrap`,
  });
}

/** Waiting for Flux needs to know what was pushed. Every other stage works without the remote. */
export function refuseUnknownGit(results: readonly Result[], waive: readonly string[], next: string): void {
  const git = results.find(({ name }) => name === "git");
  if (git?.state !== "unknown" || waive.includes("git")) return;
  throw new Failure({
    attempted: "find out what Flux will fetch",
    said: git.saw,
    now: "nothing was changed",
    next: `${next}; WAIVE=git skips this check`,
  });
}

await main(import.meta, preflight);
