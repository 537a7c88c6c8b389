// The CustomResourceDefinitions that charts bring, before anything uses them: Flux checks a whole set of objects before it writes any of them.
import { Failure, isCommandError, textOf } from "../lib/run/errors.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { main } from "../lib/run/procedure.ts";
import { type Seen, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { customResourceDefinitions } = await toAct(() => import("../lib/kubernetes/manifests.ts"));
const { steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { isTransient } = await toAct(() => import("../lib/run/transient.ts"));
const { expectOurCluster, reachCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { ask } = await toAct(() => import("../lib/run/shell.ts"));
const { readNames } = await toAct(() => import("../lib/run/tool-output.ts"));

const HELMFILE = "bootstrap/helmfile.d/00-crds.yaml";
const FIELD_MANAGER = "home-ops-bootstrap";

/** Wanted names against the cluster's. */
export function compareCrds(wanted: string[], found: string[]): Seen {
  const missing = wanted.filter((name) => !found.includes(name));
  const saw = `${wanted.length - missing.length} of ${wanted.length}`;
  if (missing.length === 0) return { state: "done", saw };
  return {
    state: missing.length < wanted.length ? "partly" : "to do",
    saw,
    todo: [`apply ${missing.length} CustomResourceDefinitions that are missing; those that are there stay as they are`],
  };
}

/** The charts' definitions, rendered once per run: pulling eight charts takes a while at home. */
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
  rendered = undefined; // the next look renders again
  throw new Failure({
    attempted: `render the CustomResourceDefinitions of ${HELMFILE}`,
    said: "helmfile template printed none",
    next: `look at ${HELMFILE}`,
  });
};

/** helmfile prints helm's words between much of its own; helm's errors alone say what happened. */
export function errorLines(said: string): string {
  const errors = [...said.matchAll(/^ *(?:[│|] *)?(Error: [^\]\n]+)/gm)].map(([, line]) => line!.trim());
  return [...new Set(errors)].join("\n") || said;
}

/** Names of the definitions that the cluster has. */
async function installed(access: ClusterAccess): Promise<string[]> {
  const lines = await steady(() => access.ask`kubectl get customresourcedefinitions --output name`.lines());
  return readNames(lines, "customresourcedefinition.apiextensions.k8s.io", {
    command: "kubectl get customresourcedefinitions --output name",
  });
}

export const crds = stage({
  name: "bootstrap:crds",
  about: "apply the CustomResourceDefinitions that charts bring",
  async observe(context) {
    const api = await reachCluster(context);
    if ("waiting" in api)
      return {
        state: "unknown",
        saw: `the API does not answer: ${api.waiting}`,
        todo: ["apply what is missing of the charts' definitions"],
      };
    const [wanted, found] = await Promise.all([definitions(), installed(api.ready)]);
    return compareCrds(
      wanted.map(({ name }) => name),
      found,
    );
  },
  async act(context) {
    const access = await expectOurCluster(context);
    const there = new Set(await installed(access));
    const wanted = (await definitions()).filter(({ name }) => !there.has(name)); // one that is there may be newer: Flux keeps it
    const input = wanted.map(({ text }) => text).join("\n---\n");
    context.ui.progress(`applying ${wanted.length} CustomResourceDefinitions`);
    await steady(
      () =>
        access.$({
          input,
          timeout: "5m",
        })`cat | kubectl apply --server-side --force-conflicts --field-manager ${FIELD_MANAGER} --filename -`,
    );
    const names = wanted.map(({ name }) => `customresourcedefinition/${name}`);
    await steady(() => access.ask({ timeout: "3m" })`kubectl wait --for condition=Established --timeout 2m ${names}`);
  },
});

await main(import.meta, crds);
