// The kinds that the home knows, against those that a real API server serves and takes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { allDefinitions } from "../../simulators/world/charts/cluster-charts.ts";
import { kindsOf, resourceOf } from "../../simulators/world/cluster/kinds.ts";
import { freshCluster } from "../../simulators/world/cluster/store.ts";
import { wholeDefinition } from "../../simulators/world/cluster/definitions.ts";
import { type RealCluster, realCluster } from "./real-cluster.ts";

let home: RealCluster;
beforeAll(async () => {
  home = await realCluster();
  await home.settle();
});
afterAll(() => home.end());

const rows = async (...args: string[]) =>
  (await home.kubectl("api-resources", "--no-headers", "--verbs", "list", ...args)).out
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));

test("the built-in kinds are those that can be listed", async () => {
  const served = (await rows()).map((cells) => `${cells[0]} ${cells.slice(-3).join(" ")}`);
  const known = kindsOf(freshCluster()).map(
    ({ plural, group, versions, namespaced, kind }) => `${plural} ${group ? `${group}/` : ""}${versions[0]} ${namespaced} ${kind}`,
  );
  // events are served in a second group, for the same objects
  expect(known.sort()).toEqual(served.filter((line) => !line.startsWith("events events.k8s.io")).sort());
});

test("every definition of a chart or an operator is taken, established, and served as it is written down", async () => {
  const small = allDefinitions();
  expect(await home.apply(small.map((one) => JSON.stringify(wholeDefinition(one))).join("\n---\n"))).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^(Warning: .*\n)*$/),
  });
  expect(
    await home.kubectl("wait", "--for", "condition=Established", "--timeout", "60s", "customresourcedefinitions", "--all"),
  ).toMatchObject({
    code: 0,
  });
  await home.settle(60);
  const conditions = JSON.parse((await home.kubectl("get", "customresourcedefinitions", "--output", "json")).out).items.flatMap(
    ({ metadata, status }: any) =>
      status.conditions.flatMap(({ type, status, message }: any) => (status === "True" ? [] : [`${metadata.name} ${type}: ${message}`])),
  );
  expect(conditions).toEqual([]);
  const names = new Set(small.map(({ metadata }) => metadata.name));
  expect(
    kindsOf(home.world.state.cluster)
      .map(resourceOf)
      .filter((name) => names.has(name))
      .sort(),
  ).toEqual([...names].sort());
});
