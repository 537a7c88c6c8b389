// Applies one application from the working tree, to try it out. Flux takes it back to what was pushed at its next reconciliation.
import { Stop } from "../lib/run/errors.ts";
import { text } from "../lib/run/options.ts";
import type { Plan } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { appliedObjects, readApp } = await toAct(() => import("../lib/flux/app.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));
const { changedObjects, differenceOf } = await toAct(() => import("../lib/flux/difference.ts"));

export const apply = procedure({
  name: "flux:apply",
  about: "apply an application from the working tree to try it; Flux reverts it",
  scope: { appOption: "app" },
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, context) {
    const { root, ui } = context;
    const found = await readApp(root, app);
    const access = await expectOurCluster(context);
    const objects = appliedObjects(found);
    const input = await printDocuments(objects);
    const interval = String(found.spec.interval ?? "its interval");
    const decide = (difference: string): Plan => ({
      title: `flux:apply ${found.namespace}/${found.name}`,
      steps: changedObjects(difference).map((target) => ({ action: "apply", target })),
      lines: [
        ...difference.trimEnd().split("\n"),
        ...(objects.length < found.built.length ? ["SOPS files stay as they are: they are decrypted in the cluster"] : []),
        `careful: Flux reverts this within ${interval} unless it is pushed; it prunes nothing that is only here`,
      ],
    });
    const { steps } = await context.confirm(async () => decide(await differenceOf(access, input)));
    if (steps.length === 0) return ui.say(`${found.namespace}/${found.name}: the cluster has it already`);
    const account = {
      attempted: `apply ${found.namespace}/${found.name}`,
      now: `objects that are not named above may be applied; Flux reverts them within ${interval}`,
      next: `correct the objects, then: task flux:apply APP=${app}; what is applied by now: task flux:diff APP=${app}`,
    };
    await explained(account, () =>
      steady(
        () =>
          access.$({
            input,
            timeout: "2m",
          })`cat | kubectl apply --server-side --force-conflicts --field-manager kustomize-controller --filename -`,
      ),
    );
    const left = await differenceOf(access, input);
    if (left !== "") throw new Stop(`the cluster changed it again while it was applied:\n${left.trimEnd()}`, { pending: true });
    ui.say(`${found.namespace}/${found.name} is applied, until Flux reconciles it: commit and push to keep it`);
  },
});

await main(import.meta, apply);
