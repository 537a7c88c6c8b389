// The values of every HelmRelease against what its chart knows: Helm ignores an unknown key silently, and what it should have set is not set.
import { factsOf, valuesOf } from "../chart-facts.ts";
import { about, type RuleInput, type Rule } from "../rule-input.ts";
import type { Finding, Located } from "../../tree/types.ts";
import { strayValues } from "../chart-values.ts";

export const values: Rule = {
  name: "values",
  about: "every value of a release is one that its chart knows",
  check(input) {
    return [...input.charts].flatMap(([key, { chart, version, located }]): Finding[] => {
      const say = (level: Finding["level"], path: (string | number)[], words: { message: string; why: string; fix: string }) =>
        about(input, "values", level, located, ["spec", ...path], words);
      if (chart === undefined && isMisspelt(input, located)) return [];
      if (chart === undefined)
        return [
          say("unknown", ["chartRef"], {
            message: `the chart of ${key} cannot be read`,
            why: "its values are not checked, and what it provides is unknown",
            fix: "put its OCIRepository into the tree",
          }),
        ];
      const known = valuesOf(chart);
      if (!known)
        return [
          say("unknown", ["chartRef"], {
            message: `there is no description of ${chart}`,
            why: "its values are not checked, and what it provides and needs is unknown",
            fix: factsOf(chart)
              ? "add its key list to scripts/lint/schemas/charts"
              : "describe it in scripts/lint/charts.yaml, with its key list in scripts/lint/schemas/charts",
          }),
        ];
      const newer = known.readAt.replace(/^v/, "") !== (version ?? "").replace(/^v/, "");
      return strayValues(located.object.spec?.values ?? {}, known).map(({ path, message, refused, nearest }) => {
        const doubtful = newer && message.startsWith("is unknown") && nearest === undefined; // a slip of the pen is none of a newer version
        return say(doubtful ? "unknown" : "error", ["values", ...stepsOf(path)], {
          message: `${path} ${message}${doubtful ? ` of version ${known.readAt}` : ""}${nearest ? `; did you mean ${nearest}?` : ""}`,
          why: doubtful
            ? `its key list is of ${known.readAt}, the tree has ${version}: the chart may know it by now; where it does not, ${refused ? "the install fails" : "Helm ignores it without a word"}`
            : refused
              ? "the chart's schema refuses it: the release never installs"
              : "Helm ignores it without a word: what it should set is not set",
          fix: nearest
            ? `write ${nearest}`
            : doubtful
              ? `look into the chart's ${version}: the key list is of ${known.readAt}`
              : `remove it, or fix it: see scripts/lint/schemas/charts/${factsOf(chart)!.values}.txt`,
        });
      });
    });
  },
};

/** Whether a schema error says already that the release names its chart in a field that there is not. */
const isMisspelt = ({ checked }: RuleInput, { source }: Located) =>
  checked.some(
    ({ located, faults }) =>
      located.source.file === source.file &&
      located.source.line === source.line &&
      faults?.some(({ path, meant }) => path[0] === "spec" && (meant?.startsWith("chart") || /^chart(Ref)?$/.test(String(path[1])))),
  );

/** `a.b[0]."c.d"` as steps. */
const stepsOf = (path: string): (string | number)[] =>
  [...path.matchAll(/"([^"]+)"|\[(\d+)\]|([^.[\]"]+)/g)].map(([, quoted, index, plain]) =>
    index === undefined ? (quoted ?? plain ?? "") : Number(index),
  );
