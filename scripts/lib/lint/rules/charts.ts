// Every chart has one exact version, and the bootstrap and the tree agree on it.
import { about, at, type RuleInput, type Rule } from "../rule-input.ts";
import type { Finding, Located } from "../../tree/types.ts";

export const charts: Rule = {
  name: "charts",
  about: "every chart has one exact version, in the bootstrap too",
  check: (input) => [...versions(input), ...bootstrap(input)],
};

const EXACT = /^v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/;

function versions(input: RuleInput): Finding[] {
  const first = new Map<string, { version: string; located: Located }>();
  return [...input.charts.values()].flatMap(({ chart, version, located }): Finding[] => {
    if (chart === undefined) return [];
    const say = (message: string, why: string, fix: string) => [
      about(input, "charts", "error", located, ["spec", "chartRef"], { message, why, fix }),
    ];
    if (version === undefined || !EXACT.test(version))
      return say(
        `${chart} has the version ${version ?? "latest"}, which is no exact one`,
        "an install tomorrow may differ from one today without any change in Git",
        "pin ref.tag to one version: Renovate raises it",
      );
    const other = first.get(chart);
    if (!other) first.set(chart, { version, located });
    if (!other || other.version === version) return [];
    return say(
      `${chart} is ${version} here and ${other.version} in ${other.located.source.file}`,
      "two versions of one chart fight over the same CustomResourceDefinitions and are upgraded apart",
      `use one version: ${[version, other.version].sort().at(-1)}`,
    );
  });
}

/** The bootstrap installs what Flux then adopts: the same name, chart and version. */
function bootstrap({ charts, tree }: RuleInput): Finding[] {
  const inTree = new Map([...charts.values()].filter(({ chart }) => chart !== undefined).map((one) => [one.chart!, one]));
  const say = (source: Located["source"], message: string, why: string, fix: string) =>
    at("charts", "error", source, { message, why, fix });
  const releases = tree.bootstrap.releases.flatMap(({ name, namespace, chart, version, source }): Finding[] => {
    const own = charts.get(`${namespace}/${name}`);
    if (!own)
      return tree.kustomizations.length === 0
        ? []
        : [
            say(
              source,
              `no HelmRelease ${namespace}/${name} takes over what the bootstrap installs`,
              "nothing upgrades or repairs it once the cluster runs",
              "add it to the tree, or take it out of the bootstrap",
            ),
          ];
    const wrong = [
      own.chart !== chart && chart !== undefined && `chart ${chart}, the tree has ${own.chart}`,
      own.version !== version && version !== undefined && `version ${version}, the tree has ${own.version}`,
    ].filter((one) => typeof one === "string");
    return wrong.map((one) =>
      say(
        source,
        `${name}: the bootstrap installs ${one}`,
        "Flux changes it the moment it takes over: an upgrade in the middle of a first install",
        "let the helmfile read the tree's own files",
      ),
    );
  });
  const definitions = tree.bootstrap.crdCharts.flatMap(({ name, chart, version, source }): Finding[] => {
    const own = chart === undefined ? undefined : inTree.get(chart);
    return own && own.version !== version
      ? [
          say(
            source,
            `${name}: the bootstrap applies the definitions of ${version}, the tree installs ${own.version}`,
            "objects are checked against the definitions of another version until the release is upgraded",
            "let the helmfile read the tree's own files",
          ),
        ]
      : [];
  });
  return [...releases, ...definitions];
}
