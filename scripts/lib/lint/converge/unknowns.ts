// Findings of the level unknown: charts without a description, readyExpr expressions, and host names outside the tree.
import type { Finding } from "../../tree/types.ts";
import { hostOf, publisherOf } from "./hosts.ts";
import { named } from "./keys.ts";
import { BOOTSTRAP, type World } from "./world.ts";
import { maps } from "./shape.ts";

/** One finding for each chart without a description and each source outside the tree. */
export function unknownCharts({ undescribed }: World): Finding[] {
  const seen = new Set<string>();
  return undescribed
    .filter(({ from }) => !seen.has(from) && seen.add(from))
    .map(({ name, from, source, namespace }) => ({
      rule: namespace === undefined ? "unknown-source" : "unknown-chart",
      level: "unknown",
      file: source.file,
      line: source.line,
      object: name,
      message: `what ${from} provides is unknown`,
      why: `whether ${name} provides or needs a definition, a class or a Secret cannot be known offline`,
      fix:
        name === BOOTSTRAP
          ? "BOOTSTRAP=FOLDER names the folder with its helmfiles and first resources"
          : namespace === undefined
            ? "look at that source by hand"
            : "describe the chart in scripts/lint/charts.yaml",
    }));
}

/** The result of a readyExpr cannot be known offline. */
export function readyExpressions({ tree }: World): Finding[] {
  return tree.kustomizations.flatMap(({ namespace, name, spec, source }) =>
    maps(spec.dependsOn)
      .filter(({ readyExpr }) => readyExpr)
      .map((dependency): Finding => ({
        rule: "ready-expression",
        level: "unknown",
        file: source.file,
        line: source.line,
        object: `Kustomization ${namespace}/${name}`,
        message: `whether its readyExpr for ${dependency.name} becomes true is not known: ${dependency.readyExpr}`,
        why: "it replaces the check that the dependency is ready; here it is taken for true as soon as that is applied",
        fix: "take readyExpr out where being ready is what is meant",
      })),
  );
}

/** A store's server with a name of the home's own zone, which nothing here publishes: it must be a record that does not need the cluster. */
export function storeHosts(world: World): Finding[] {
  const { cluster } = world.input;
  if (!cluster) return [];
  return ["ClusterSecretStore", "SecretStore"].flatMap((kind) =>
    world.ofKind(kind).flatMap(({ object, source }): Finding[] => {
      const host = hostOf(object.spec?.provider?.onepassword?.connectHost);
      if (!host?.endsWith(`.${cluster.domain}`) || publisherOf(host, world)) return [];
      return [
        {
          rule: "store-host",
          level: "unknown",
          file: source.file,
          line: source.line,
          object: named(object),
          message: `who answers for ${host} is not known: it is a name of ${cluster.domain}, and nothing in this tree publishes it`,
          why: "were it a record that external-dns keeps, the store would wait for the cluster and the cluster for the store",
          fix: "make it a static record of the network's own DNS, or use an address",
        },
      ];
    }),
  );
}
