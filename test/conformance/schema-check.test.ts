// The lint's walk through a schema against validators that ajv generates: the same verdict on our own objects and on thousands of broken ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { copy } from "../../scripts/lib/tree/kustomize/fields.ts";
import { readTree } from "../../scripts/lib/tree/read.ts";
import { faultsOf, type Schema } from "../../scripts/lib/lint/schemas/check.ts";
import { SCHEMAS, schemaPath } from "../../scripts/lib/lint/schemas/find.ts";
import { toJavaScript } from "../../scripts/lib/lint/schemas/patterns.ts";
import type { KubeObject } from "../../scripts/lib/tree/types.ts";
import { loadVersions } from "../../scripts/lib/cluster/versions.ts";
import { random } from "./random.ts";

const KINDS = [
  "Kustomization",
  "HelmRelease",
  "OCIRepository",
  "ExternalSecret",
  "HTTPRoute",
  "CiliumLoadBalancerIPPool",
  "ClusterIssuer",
  "Certificate",
  "PrometheusRule",
  "PersistentVolumeClaim",
  "ConfigMap",
  "Namespace",
  "ReplicationSource",
];
const EACH = 300;

const WORDS: unknown[] = [null, "", "x", "x".repeat(400), "5Gi", "0", 0, -1, 1.5, 70000, true, [], {}, ["a"], { a: 1 }];

/** The same object with one to three things changed, taken out or put in. */
function broken(object: KubeObject, pick: (below: number) => number): KubeObject {
  const result = copy(object);
  for (let times = 1 + pick(3); times > 0; times -= 1) {
    let holder: Record<string, unknown> = result;
    for (let depth = pick(6); depth > 0; depth -= 1) {
      const inner = Object.values(holder).filter((one) => typeof one === "object" && one !== null);
      if (inner.length === 0) break;
      holder = inner[pick(inner.length)] as Record<string, unknown>;
    }
    const keys = Object.keys(holder);
    const word = copy(WORDS[pick(WORDS.length)]);
    if (Array.isArray(holder)) holder.push(word);
    else if (pick(3) === 0 || keys.length === 0) holder.another = word;
    else if (pick(2) === 0) delete holder[keys[pick(keys.length)]!];
    else holder[keys[pick(keys.length)]!] = word;
  }
  return result;
}

let objects: KubeObject[];
let kubernetes: string;
beforeAll(() => {
  kubernetes = loadVersions(process.cwd(), {}).KUBERNETES_VERSION;
  objects = readTree({ root: process.cwd() }).kustomizations.flatMap(({ built }) => built.map(({ object }) => object));
});

describe("ajv and the walk agree on", () => {
  it.each(KINDS)("%s", (kind) => {
    const own = objects.filter((object) => object.kind === kind);
    expect(own, `our tree has a ${kind}`).not.toEqual([]);
    const text = readFileSync(join(SCHEMAS, schemaPath(own[0]!, kubernetes)), "utf8");
    const schema = JSON.parse(text) as Schema;
    const readable = JSON.parse(text, (key, value: unknown) =>
      key === "pattern" && typeof value === "string" ? toJavaScript(value) : value,
    ) as Schema;
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(readable);
    const pick = random(kind.length);
    const tried = [...own, ...Array.from({ length: EACH }, () => broken(own[pick(own.length)]!, pick))];
    const verdicts = tried.map((object) => [faultsOf(schema, object).length === 0, validate(object)] as const);
    for (const [index, [ours, theirs]] of verdicts.entries()) expect(ours, JSON.stringify(tried[index])).toBe(theirs);
    expect(verdicts.filter(([ours]) => !ours).length).toBeGreaterThan(EACH / 10);
  });
});
