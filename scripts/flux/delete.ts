// Takes an application out of the cluster: its Kustomization is suspended first, so that Flux does not bring it back, then everything it applied goes.
import { Failure, UsageError } from "../lib/errors.ts";
import { holdsData, type InventoryEntry, pruned } from "../lib/gitops/app.ts";
import { expectOurCluster, getAll, type KubernetesObject, steady } from "../lib/kubernetes.ts";
import { inWords } from "../lib/lint/object.ts";
import { nearest } from "../lib/nearest.ts";
import { text } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { ask } from "../lib/shell.ts";
import { printDocuments } from "../lib/yaml.ts";

const KIND = "kustomizations.kustomize.toolkit.fluxcd.io";
/** What the ledger calls a suspended Kustomization. */
export const SUSPENDED = "suspended Kustomization";

interface Applied extends KubernetesObject {
  spec?: { suspend?: boolean };
  status?: KubernetesObject["status"] & { inventory?: { entries?: InventoryEntry[] } };
}

export const deleteApp = procedure({
  name: "flux:delete",
  about: "take an application out of the cluster, and keep Flux from bringing it back",
  destroys: "everything that the application's Kustomization applied, its data with it",
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, context) {
    const { cluster, ui, ledger } = context;
    await expectOurCluster(context);
    const one = find(((await getAll(KIND)) ?? []) as Applied[], app);
    const { name, namespace } = one.metadata;
    const { objects, lines } = pruned(one.status?.inventory?.entries ?? []);
    if (objects.length === 0) return ui.say(`${namespace}/${name} has nothing in the cluster`);
    await ui.confirm({
      title: `flux:delete ${namespace}/${name}`,
      lines: [`suspend Kustomization ${namespace}/${name}; \`task leftovers UNDO=1\` resumes it, and Flux brings everything back empty`],
      destroys: { what: lines, name },
    });
    if (!one.spec?.suspend) {
      await ledger.open({ kind: SUSPENDED, name: `${namespace}/${name}`, home: cluster.name, procedure: "flux:delete" });
      await steady(() => $`kubectl patch ${KIND} ${name} --namespace ${namespace!} --type merge --patch ${'{"spec":{"suspend":true}}'}`);
    }
    const input = await printDocuments(objects);
    await $({ input, timeout: "10m" })`cat | kubectl delete --ignore-not-found --wait=true --timeout 9m --filename -`;
    const left = (await steady(() => ask({ input })`cat | kubectl get --ignore-not-found --output name --filename -`.lines())).filter(
      Boolean,
    );
    if (left.length > 0)
      throw new Failure({
        attempted: `delete ${objects.length} objects`,
        said: left.join("\n"),
        now: "these are still there; the Kustomization is suspended",
        next: `task flux:delete APP=${namespace}/${name}`,
      });
    const data = objects.filter(holdsData).map(inWords);
    ui.say(`${namespace}/${name} is gone: ${objects.length} objects${data.length > 0 ? `, ${data.join(", ")} with their data` : ""}`);
    ui.say("its Kustomization stays suspended: take it out of Git, or bring it back with: task leftovers UNDO=1");
  },
});

function find(all: readonly Applied[], word: string): Applied {
  const key = ({ metadata: { namespace, name } }: Applied) => `${namespace}/${name}`;
  const fit = all.filter((one) => key(one) === word || one.metadata.name === word);
  if (fit.length === 1) return fit[0]!;
  if (fit.length > 1) throw new UsageError(`several Kustomizations are called ${word}: ${fit.map(key).join(", ")}`);
  const near = nearest(
    word,
    all.map(({ metadata }) => metadata.name),
  );
  throw new UsageError(`the cluster has no Kustomization ${word}${near ? `; did you mean ${near}?` : ""}\n  ${all.map(key).join(" ")}`);
}

await main(import.meta, deleteApp);
