// Installs the charts' CustomResourceDefinitions before anything uses them, because Flux validates a whole set of objects before it applies any of them.
import { Failure, isCommandError, textOf } from "../lib/run/errors.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { main } from "../lib/run/procedure.ts";
import { factsOf, type StageState, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { customResourceDefinitions } = await toAct(() => import("../lib/kubernetes/manifests.ts"));
const { apiAnswers, observeCluster } = await toAct(() => import("../lib/bootstrap/api.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { isTransient } = await toAct(() => import("../lib/run/transient.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { ask } = await toAct(() => import("../lib/run/shell.ts"));
const { readNames } = await toAct(() => import("../lib/run/tool-output.ts"));

const HELMFILE = "bootstrap/helmfile.d/00-crds.yaml";
const FIELD_MANAGER = "home-ops-bootstrap";

/** Compares the wanted names with the cluster's. An existing definition is not changed: it may be newer, and Flux updates it. */
export function compareCrds(wanted: string[], found: string[]): StageState<string[]> {
  const missing = wanted.filter((name) => !found.includes(name));
  const saw = `${wanted.length - missing.length} of ${wanted.length}`;
  if (missing.length === 0) return { state: "done", saw };
  return {
    state: missing.length < wanted.length ? "partly" : "to do",
    saw,
    todo: [...byGroup(missing), "definitions that exist are not changed"],
    steps: missing.map((name) => ({ action: "create", target: `CustomResourceDefinition ${name}` })),
    facts: missing,
  };
}

/** A line for each API group with the names of its definitions: `certificates.cert-manager.io` is `certificates` of `cert-manager.io`. */
function byGroup(names: string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const [plural = "", ...group] = name.split(".");
    groups.set(group.join("."), [...(groups.get(group.join(".")) ?? []), plural]);
  }
  return [...groups].map(([group, plurals]) => `create the CustomResourceDefinitions of ${group}: ${plurals.join(", ")}`);
}

/** The charts' definitions, rendered once per run, because pulling eight charts takes a while. */
let rendered: Promise<string> | undefined;
const definitions = async () => {
  rendered ??= steady(
    () => ask({ timeout: "5m" })`helmfile --file ${HELMFILE} --quiet template --include-crds --no-hooks`.text(),
    (error) => isTransient(textOf(error)),
  );
  const printed = await rendered.catch((error: unknown) => {
    rendered = undefined;
    if (!isCommandError(error)) throw error;
    throw new Failure({
      attempted: `render the CustomResourceDefinitions of ${HELMFILE}`,
      said: errorLines(textOf(error)),
      now: "no definition was applied by this run",
      next: "task bootstrap:crds, once the registry delivers the chart",
    });
  });
  const found = customResourceDefinitions(printed);
  if (found.length > 0) return found;
  rendered = undefined; // the next call renders again
  throw new Failure({
    attempted: `render the CustomResourceDefinitions of ${HELMFILE}`,
    said: "helmfile template printed none",
    next: `look at ${HELMFILE}`,
  });
};

/** Only helm's own errors: helmfile prints them among many lines of its own. */
export function errorLines(said: string): string {
  const errors = [...said.matchAll(/^ *(?:[│|] *)?(Error: [^\]\n]+)/gm)].map(([, line]) => line!.trim());
  return [...new Set(errors)].join("\n") || said;
}

/** Names of the definitions that the cluster has. */
async function installed(access: ClusterAccess): Promise<string[]> {
  const lines = await explained({ attempted: "list the CustomResourceDefinitions of the cluster" }, () =>
    steady(() => access.ask`kubectl get customresourcedefinitions --output name`.lines()),
  );
  return readNames(lines, "customresourcedefinition.apiextensions.k8s.io", {
    command: "kubectl get customresourcedefinitions --output name",
  });
}

export const crds = stage<string[]>({
  name: "bootstrap:crds",
  about: "apply the CustomResourceDefinitions of the charts",
  async observe(context) {
    return observeCluster(context, "apply what is missing of the charts' definitions", async (access) => {
      const [wanted, found] = await Promise.all([definitions(), installed(access)]);
      return compareCrds(
        wanted.map(({ name }) => name),
        found,
      );
    });
  },
  ready: apiAnswers,
  async act(context, seen) {
    const planned = factsOf(crds, seen);
    const access = await expectOurCluster(context);
    const there = await installed(access);
    const wanted = (await definitions()).filter(({ name }) => planned.includes(name) && !there.includes(name));
    if (wanted.length === 0) return;
    const input = wanted.map(({ text }) => text).join("\n---\n");
    context.ui.progress(`creating ${wanted.length} CustomResourceDefinitions`);
    const account = {
      attempted: `create ${wanted.length} CustomResourceDefinitions`,
      now: "those that the API accepted stay; nothing uses them yet",
      next: "task bootstrap:crds",
    };
    // without --force-conflicts, so that a definition created by someone else in the meantime is not overwritten
    await explained(account, () =>
      steady(() => access.$({ input, timeout: "5m" })`cat | kubectl apply --server-side --field-manager ${FIELD_MANAGER} --filename -`),
    );
    const names = wanted.map(({ name }) => `customresourcedefinition/${name}`);
    const waiting = { attempted: "wait until the API serves the new definitions", now: "they are applied", next: "task bootstrap:crds" };
    await explained(waiting, () =>
      steady(() => access.ask({ timeout: "3m" })`kubectl wait --for condition=Established --timeout 2m ${names}`),
    );
  },
});

await main(import.meta, crds);
