// Takes an application out of the cluster: its Kustomization is suspended first, so that Flux does not bring it back, then everything it applied goes.
import { Failure } from "../lib/run/errors.ts";
import type { Applied, Closure } from "../lib/flux/closure.ts";
import type { Context } from "../lib/run/context.ts";
import type { Hold } from "../lib/run/hold.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { text } from "../lib/run/options.ts";
import type { Plan } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { findApp } = await toAct(() => import("../lib/flux/app.ts"));
const { closureOf, refuseVital } = await toAct(() => import("../lib/flux/closure.ts"));
const { hold } = await toAct(() => import("../lib/run/hold.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { getAll, steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { endSuspension, KUSTOMIZATIONS, suspend, SUSPENDED } = await toAct(() => import("../lib/flux/suspended.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));

export const deleteApp = procedure({
  name: "flux:delete",
  about: "delete an application, and keep Flux from restoring it",
  destroys: "everything that the application's Kustomization applied and its releases installed, its data with it",
  scope: { appOption: "app" },
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, context) {
    const { ui, ledger } = context;
    const access = await expectOurCluster(context);
    const { key, uid, suspension, objects, data, steps } = await context.confirm(() => planDelete(context, access, app));
    if (steps.length === 0) return ui.say(`${key} has nothing in the cluster that would be deleted`);
    const suspended = suspension === "none" ? await holdSuspended(context, access, { key, uid }) : undefined;
    suspended?.leave(); // from here on objects are deleted: if Flux resumed now, it would install them again
    const input = await printDocuments(objects);
    const account = {
      attempted: `delete ${objects.length} objects of ${key}`,
      now: "some of them may be deleted; the Kustomization is suspended, so that Flux changes nothing",
      next: `task flux:delete APP=${key} continues; task leftovers UNDO=1 NAME=${key} brings it back`,
    };
    const left = await explained(account, async () => {
      await access.$({ input, timeout: "10m" })`cat | kubectl delete --ignore-not-found --wait=true --timeout 9m --filename -`;
      return (await steady(() => access.ask({ input })`cat | kubectl get --ignore-not-found --output name --filename -`.lines())).filter(
        Boolean,
      );
    });
    if (left.length > 0)
      throw new Failure({
        attempted: `delete ${objects.length} objects`,
        said: left.join("\n"),
        now: "these objects still exist; the Kustomization is suspended",
        next: `task flux:delete APP=${key}`,
      });
    for (const entry of entriesOf(context, key)) await ledger.keep(entry); // also the entry of an earlier run that was interrupted
    ui.say(`${key} is gone: ${objects.length} objects${data.length > 0 ? `, ${data.join(", ")} with their data` : ""}`);
    ui.say(`its Kustomization stays suspended: take it out of Git, or bring it back with: ${resumeWith(key, suspension)}`);
  },
});

/** Who suspended a Kustomization: nobody yet, a run of flux:delete that the ledger knows, or somebody else. */
type Suspension = "none" | "ours" | "other";

const entriesOf = ({ ledger, cluster }: Pick<Context, "ledger" | "cluster">, key: string) =>
  ledger.entries().filter(({ kind, name, owner }) => kind === SUSPENDED && name === key && owner.cluster === cluster.name);

/** Suspends the Kustomization, and removes entries of earlier runs, whose suspension somebody has ended since. */
async function holdSuspended(
  context: Context,
  access: ClusterAccess,
  { key, uid }: Pick<DeletePlan, "key" | "uid">,
): Promise<Hold<typeof SUSPENDED>> {
  const stale = entriesOf(context, key);
  const entry = {
    kind: SUSPENDED,
    name: key,
    owner: { cluster: context.cluster.name },
    procedure: "flux:delete",
    facts: uid === undefined ? {} : { uid },
  } as const;
  return hold(
    context,
    entry,
    async () => {
      for (const one of stale) await context.ledger.close(one);
      await suspend(access, key, true);
    },
    () => endSuspension(access, key),
  );
}

/** The command that has Flux install it again. The ledger knows only what flux:delete suspended. */
const resumeWith = (key: string, suspension: Suspension): string => {
  const [namespace, name] = key.split("/");
  return suspension === "other" ? `flux resume kustomization ${name} --namespace ${namespace}` : `task leftovers UNDO=1 NAME=${key}`;
};

const FIRST: Record<Suspension, (key: string) => string> = {
  none: (key) => `suspend Kustomization ${key}`,
  ours: (key) => `Kustomization ${key} stays suspended: an earlier flux:delete suspended it`,
  other: (key) => `Kustomization ${key} stays suspended: somebody suspended it, not flux:delete`,
};

interface DeletePlan extends Plan {
  key: string;
  /** Of the Kustomization. */
  uid: string | undefined;
  suspension: Suspension;
  objects: Closure["objects"];
  data: string[];
}

/** What deleting the app removes; refuses an app that the cluster needs. */
async function planDelete(context: Context, access: ClusterAccess, app: string): Promise<DeletePlan> {
  const all = (await getAll(access, KUSTOMIZATIONS)) as Applied[];
  const one = findApp(
    all.map((live) => ({ ...live.metadata, namespace: live.metadata.namespace!, live })),
    app,
  ).live;
  const { name, namespace, uid } = one.metadata;
  refuseVital(one, all);
  const { objects, lines, data, kept } = await closureOf(access, one, all);
  const key = `${namespace}/${name}`;
  const suspension: Suspension = one.spec?.suspend !== true ? "none" : entriesOf(context, key).length > 0 ? "ours" : "other";
  return {
    title: `flux:delete ${key}`,
    lines: [
      `${FIRST[suspension](key)}; \`${resumeWith(key, suspension)}\` resumes it, and Flux installs everything again`,
      "a volume is restored from its backup if it has one, otherwise it comes back empty",
      ...kept.map((line) => `keep (its annotation says so): ${line}`),
    ],
    destroys: { what: lines, name },
    steps:
      objects.length === 0
        ? []
        : [
            ...(suspension === "none" ? [{ action: "suspend", target: `Kustomization ${key}` }] : []),
            ...lines.map((target) => ({ action: "delete", target, destroys: true })),
          ],
    key,
    uid,
    suspension,
    objects,
    data,
  };
}

await main(import.meta, deleteApp);
