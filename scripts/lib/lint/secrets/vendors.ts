// Tokens that secretlint's recommended rules know: they are kept up to date by others, and cost 70 ms to load. Its versions from 12 on need Node 22.
import { isPlaceholder } from "./placeholder.ts";
import type { Vendors } from "./search.ts";
import type { Shape } from "./shapes.ts";

/** A comment in a file must not switch the search off for it. */
const DISABLED = [{ id: "@secretlint/secretlint-rule-filter-comments", disabled: true }];
const PRESET = "@secretlint/secretlint-rule-preset-recommend";

/** Loads the rules. All texts are searched as one: the profiler in secretlint makes every further call slower than the one before. */
export async function loadVendorRules(): Promise<Vendors> {
  const [{ lintSource }, { creator }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
  ]);
  const options = { config: { rules: [{ id: PRESET, rule: creator, rules: DISABLED }] }, noPhysicFilePath: true, maskSecrets: true };
  return async (texts) => {
    const content = texts.join(BETWEEN);
    const { messages } = await lintSource({ source: { filePath: "text", content, contentType: "text" }, options });
    const found: Shape[][] = texts.map(() => []);
    let [text, start] = [0, 0];
    for (const { range, ruleId, messageId } of messages.toSorted((a, b) => a.range[0] - b.range[0])) {
      while (range[0] >= start + texts[text]!.length + BETWEEN.length) start += texts[text++]!.length + BETWEEN.length;
      if (isPlaceholder(valueIn(content.slice(...range)))) continue;
      found[text]!.push({ index: range[0] - start, what: `a secret (${ruleId.replace(/^.*rule-/, "")}: ${messageId})` });
    }
    return found;
  };
}

const BETWEEN = "\n\n";

/** The password of a URL; of a token what follows its prefix. */
const valueIn = (match: string) => /:\/\/[^:]*:([^@]*)@/.exec(match)?.[1] ?? match.replace(/^[A-Za-z]{2,10}[_-]/, "");
