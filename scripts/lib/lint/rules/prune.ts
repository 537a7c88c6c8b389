// Objects whose data is lost if their line disappears from Git: Flux prunes everything that a removed Kustomization applied.
import { about, type Rule } from "../rule-input.ts";
import type { KubeObject } from "../../tree/types.ts";

const PRUNE = "kustomize.toolkit.fluxcd.io/prune";

export const prune: Rule = {
  name: "prune",
  about: "a line that is lost in Git takes no data with it",
  check(input) {
    return input.tree.kustomizations
      .filter(({ spec }) => spec?.prune === true)
      .flatMap(({ name, namespace, built }) =>
        built
          .filter(({ object }) => holdsData(object) && !isKept(object))
          .map((located) =>
            about(input, "prune", "note", located, ["metadata"], {
              message: `Flux deletes it, and the data in it, as soon as Kustomization ${namespace}/${name} or its own file leaves Git`,
              why: "a revert, a moved folder or a wrong merge is enough, and there is no way back",
              fix: `annotate it ${PRUNE}: disabled, or say prune: false in its Kustomization`,
            }),
          ),
      );
  },
};

/** Volumes, and the Ceph that all volumes are in: itself, or the release that makes it. */
const holdsData = ({ apiVersion, kind, spec }: KubeObject): boolean =>
  (kind === "PersistentVolumeClaim" && apiVersion === "v1") ||
  (kind === "CephCluster" && apiVersion.startsWith("ceph.rook.io/")) ||
  (kind === "HelmRelease" && spec?.values?.cephClusterSpec !== undefined);

/** The controller looks for it among annotations and labels. */
const isKept = ({ metadata: { annotations, labels } }: KubeObject): boolean =>
  [annotations?.[PRUNE], labels?.[PRUNE]].some((said) => String(said).toLowerCase() === "disabled");
