// What a server-side apply by kustomize-controller would change in the cluster.
import type { ClusterAccess } from "../kubernetes/access.ts";
import { mayPass, steady } from "../kubernetes/kubernetes.ts";
import { Failure, textOf } from "../run/errors.ts";

/** The diff of a server-side apply by kustomize-controller; empty if nothing would change. kubectl exits with 1 for differences, with more for errors. */
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

/** Removes the names of kubectl's temporary folders. */
export const withoutPaths = (text: string) =>
  text.replaceAll(/^diff -u -N \S+\/(\S+) \S+$/gm, "$1").replaceAll(/^(---|\+\+\+) \S+\/(LIVE|MERGED)-\d+\/(\S+)\t.*$/gm, "$1 $3");

/** The objects that a diff is about, as kubectl names its files: `apps.v1.Deployment.media.radarr`. */
export const changedObjects = (difference: string): string[] => [
  ...new Set([...difference.matchAll(/^\+\+\+ (\S+)/gm)].map(([, name]) => name!)),
];
