// Namespaces, and the Secrets that nothing in the cluster can make yet, in one apply.
import type { Context } from "../lib/run/context.ts";
import { Failure, isCommandError, textOf } from "../lib/run/errors.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { main } from "../lib/run/procedure.ts";
import type { Resource } from "../lib/bootstrap/resources.ts";
import { stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { readFound, steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster, reachCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { compareResources, renderResources } = await toAct(() => import("../lib/bootstrap/resources.ts"));
const { printDocuments, referencesOf, withValues } = await toAct(() => import("../lib/text/yaml.ts"));

const FIELD_MANAGER = "home-ops-bootstrap";

/** The objects with their secrets in place. */
async function filled(context: Context): Promise<Resource[]> {
  const resources = await renderResources(context);
  return withValues(resources, await context.vault.resolve(referencesOf(resources)));
}

export const resources = stage({
  name: "bootstrap:resources",
  about: "apply namespaces and the secrets that must exist before Flux",
  async observe(context) {
    const api = await reachCluster(context);
    if ("waiting" in api)
      return {
        state: "unknown",
        saw: `the API does not answer: ${api.waiting}`,
        todo: ["apply what is missing of bootstrap/resources.yaml.njk"],
      };
    const wanted = await filled(context);
    const todo = compareResources(wanted, await found(api.ready, wanted));
    const saw = `${wanted.length - todo.length} of ${wanted.length} as wanted`;
    const steps = todo.map((target) => ({ action: "apply", target })); // each with its fields, so that a second look with other changes is another plan
    return todo.length === 0 ? { state: "done", saw } : { state: todo.length < wanted.length ? "partly" : "to do", saw, todo, steps };
  },
  async act(context) {
    const access = await expectOurCluster(context);
    const input = await printDocuments(await filled(context));
    const apply = () =>
      access.$({
        input,
        timeout: "2m",
      })`cat | kubectl apply --server-side --force-conflicts --field-manager ${FIELD_MANAGER} --filename -`;
    await steady(apply).catch((error: unknown) => {
      if (!isCommandError(error)) throw error;
      throw new Failure({ attempted: "apply namespaces and secrets", said: textOf(error), next: "task bootstrap:resources" });
    });
  },
});

/** What the cluster has of these objects; kubectl gets their names, not their data. */
async function found(access: ClusterAccess, wanted: Resource[]): Promise<Resource[]> {
  const input = await printDocuments(
    wanted.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(namespace && { namespace }) },
    })),
  );
  const said = await steady(() => access.ask({ input })`cat | kubectl get --ignore-not-found --output json --filename -`.text());
  return readFound<Resource>(said, { command: "kubectl get --output json --filename -", secret: true });
}

await main(import.meta, resources);
