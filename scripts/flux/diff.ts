// Shows what Flux would change in the cluster for one application, if the working tree were pushed. Changes nothing.
import { Failure, Stop, textOf } from "../lib/run/errors.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { appliedObjects, readApp } = await toAct(() => import("../lib/flux/app.ts"));
const { mayPass, steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));

export const diff = procedure({
  name: "flux:diff",
  about: "show what Flux would change in the cluster for an application",
  scope: "none",
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, context) {
    const { root, ui } = context;
    const found = await readApp(root, app);
    const access = await expectOurCluster(context);
    const difference = await differenceOf(access, await printDocuments(appliedObjects(found)));
    if (difference === "") return ui.result({ app, changes: false, difference }, `${found.namespace}/${found.name}: no changes`);
    ui.result({ app, changes: true, difference }, difference.trimEnd());
    throw new Stop("changes are pending: commit and push, then: task flux:sync", { pending: true });
  },
});

/** What a server-side apply by kustomize-controller would change; empty when nothing. kubectl says 1 for "they differ", more for "could not tell". */
export const differenceOf = (access: ClusterAccess, input: string): Promise<string> =>
  steady(async () => {
    const compared = await access.ask({
      input,
      timeout: "2m",
    })`cat | kubectl diff --server-side --force-conflicts --field-manager kustomize-controller --filename -`.nothrow();
    if (compared.exitCode === 0) return "";
    if (compared.exitCode === 1 && compared.stdout.trim() !== "") return withoutPaths(compared.stdout);
    if (/no matches for kind|namespaces "[^"]+" not found/.test(compared.stderr))
      throw new Failure({
        attempted: "compare with the cluster",
        said: textOf(compared),
        now: "nothing was changed",
        next: "task flux:sync, which brings what is missing first",
      });
    if (mayPass(compared)) throw compared; // steady asks again
    throw new Failure({
      attempted: "compare with the cluster",
      said: textOf(compared),
      now: "nothing was changed",
      next: "correct the objects that kubectl names, then the same command again",
    });
  });

/** kubectl compares files in temporary folders; their names say nothing to a person. */
export const withoutPaths = (text: string) =>
  text.replaceAll(/^diff -u -N \S+\/(\S+) \S+$/gm, "$1").replaceAll(/^(---|\+\+\+) \S+\/(LIVE|MERGED)-\d+\/(\S+)\t.*$/gm, "$1 $3");

/** The objects that a diff is about, as kubectl names its files: `apps.v1.Deployment.media.radarr`. */
export const changedObjects = (difference: string): string[] => [
  ...new Set([...difference.matchAll(/^\+\+\+ (\S+)/gm)].map(([, name]) => name!)),
];

await main(import.meta, diff);
