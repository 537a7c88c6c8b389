// Applies the namespaces, and the Secrets that nothing in the cluster can create yet, in one command.
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { main } from "../lib/run/procedure.ts";
import type { Resource } from "../lib/bootstrap/resources.ts";
import { describeStep, unplanned } from "../lib/run/plan.ts";
import { factsOf, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { apiAnswers, observeCluster } = await toAct(() => import("../lib/bootstrap/api.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { readFound, steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { FIELD_MANAGER, renderResources, seeResources } = await toAct(() => import("../lib/bootstrap/resources.ts"));
const { printDocuments, referencesOf, withValues } = await toAct(() => import("../lib/text/yaml.ts"));

/** The objects, including their secrets. */
async function filled(context: Context): Promise<Resource[]> {
  const resources = await renderResources(context);
  return withValues(resources, await context.vault.resolve(referencesOf(resources)));
}

export const resources = stage<Resource[]>({
  name: "bootstrap:resources",
  about: "apply the namespaces and Secrets that must exist before Flux",
  destroys: "a value of such a Secret in the cluster that is not the vault's or is no longer wanted",
  async observe(context) {
    return observeCluster(context, "apply what is missing of bootstrap/resources.yaml.njk", async (access) => {
      const wanted = await filled(context);
      return seeResources(wanted, await found(access, wanted));
    });
  },
  ready: apiAnswers,
  async act(context, seen) {
    const planned = factsOf(resources, seen);
    const access = await expectOurCluster(context);
    const now = seeResources(planned, await found(access, planned)); // someone may have changed the same objects since
    const more = unplanned(seen.steps ?? [], now.steps ?? []);
    if (more.length > 0)
      throw new Failure({
        attempted: "apply namespaces and secrets: they changed after the plan was shown",
        said: more.map(describeStep).join("\n"),
        now: "nothing was changed",
        next: "task bootstrap:resources",
      });
    if (!now.facts) return;
    const input = await printDocuments(now.facts);
    const apply = () =>
      access.$({
        input,
        timeout: "2m",
      })`cat | kubectl apply --server-side --force-conflicts --field-manager ${FIELD_MANAGER} --filename -`;
    const account = {
      attempted: "apply namespaces and secrets",
      now: "those that the API accepted stay",
      next: "task bootstrap:resources",
    };
    await explained(account, () => steady(apply));
  },
});

/** Reads these objects from the cluster; kubectl gets their names, not their data. */
async function found(access: ClusterAccess, wanted: Resource[]): Promise<Resource[]> {
  const input = await printDocuments(
    wanted.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(namespace && { namespace }) },
    })),
  );
  const said = await explained({ attempted: "read the bootstrap's namespaces and Secrets" }, () =>
    steady(() => access.ask({ input })`cat | kubectl get --ignore-not-found --show-managed-fields --output json --filename -`.text()),
  );
  return readFound<Resource>(said, { command: "kubectl get --output json --filename -", secret: true });
}

await main(import.meta, resources);
