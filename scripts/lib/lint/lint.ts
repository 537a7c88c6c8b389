// The complete lint of one tree: reads it, checks every rule, and simulates a first install.
import { setImmediate as turn } from "node:timers/promises";
import type { Cluster } from "../cluster/cluster.ts";
import { knownCharts } from "./chart-facts.ts";
import { converge, type Convergence } from "./converge/converge.ts";
import { ruleInputOf, type RuleInput, type Rule } from "./rule-input.ts";
import { readTree, type Where } from "../tree/read.ts";
import { charts } from "./rules/charts.ts";
import { images } from "./rules/images.ts";
import { network } from "./rules/network.ts";
import { podSecurity } from "./rules/pod-security.ts";
import { prune } from "./rules/prune.ts";
import { rootPatch } from "./rules/root-patch.ts";
import { schema } from "./rules/schema.ts";
import { secretStore } from "./rules/secret-store.ts";
import { secrets } from "./rules/secrets.ts";
import { structure } from "./rules/structure.ts";
import { values } from "./rules/values.ts";
import type { Finding } from "../tree/types.ts";

export const RULES: readonly Rule[] = [
  structure,
  rootPatch,
  prune,
  schema,
  values,
  secrets,
  secretStore,
  network,
  podSecurity,
  images,
  charts,
];

export interface Lint {
  input: RuleInput;
  findings: Finding[];
  convergence?: Convergence;
}

export interface Home {
  kubernetes: string;
  cluster?: Cluster;
  /** Aborts on Ctrl-C: looked at between the rules, which themselves never wait. */
  signal?: AbortSignal;
}

/** Lints a tree. A rule that throws becomes a finding, and the other rules still run. */
export async function lint(where: Where, { kubernetes, cluster, signal }: Home): Promise<Lint> {
  const pause = async () => {
    await turn(); // a signal is told only when the event loop has its turn
    signal?.throwIfAborted();
  };
  const tree = readTree(where);
  await pause();
  const input = ruleInputOf(tree, kubernetes, cluster);
  const found = [...tree.findings];
  if (tree.kustomizations.length === 0) return { input, findings: inOrder(found) };
  for (const rule of RULES) {
    await pause();
    found.push(...(await guarded(rule.name, () => rule.check(input))));
  }
  await pause();
  let convergence: Convergence | undefined;
  const facts = {
    charts: knownCharts(),
    ...(cluster && { cluster: { domain: cluster.domain, endpoint: cluster.endpoint.address, gateways: cluster.network.gateways } }),
  };
  found.push(
    ...(await guarded("converge", () => {
      convergence = converge(input.tree, facts);
      return convergence.findings;
    })),
  );
  await pause();
  return { input, findings: inOrder(found), ...(convergence && { convergence }) };
}

async function guarded(name: string, check: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const message = `the rule ${name} could not finish: ${(error as Error).message}`;
    return [
      {
        rule: name,
        level: "unknown",
        file: "kubernetes",
        line: 1,
        message,
        why: "what it would have found is not known",
        fix: "LOG_LEVEL=debug shows where; this is a defect of the lint",
      },
    ];
  }
}

const LEVELS = { error: 0, note: 1, unknown: 2 };

/** Errors first, then by file and line, without duplicates. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings
    .filter(({ rule, file, line, object = "", message }) => {
      const key = `${rule} ${file}:${line} ${object} ${message}`;
      return !seen.has(key) && Boolean(seen.add(key));
    })
    .sort(
      (a, b) => LEVELS[a.level] - LEVELS[b.level] || a.file.localeCompare(b.file) || a.line - b.line || a.message.localeCompare(b.message),
    );
}
