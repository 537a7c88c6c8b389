// An API server that is away: refused connections now and then, gone in the middle of an apply, back again.
import { afterEach, expect, test } from "vitest";
import { setTimeout as pause } from "node:timers/promises";
import { type RealCluster, realCluster, withoutWarnings } from "./real-cluster.ts";

let home: RealCluster;
afterEach(() => home.end());

const maps = (...names: string[]) =>
  names
    .map((name) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: {} }))
    .join("\n---\n");

test("goes away in the middle of an apply, and takes the rest when it is back", async () => {
  home = await realCluster({ "api-server-leaves-during-apply": 1 });
  await home.settle();
  const objects = maps("a", "b", "c", "d", "e", "f");
  const said = await home.apply(objects);
  expect(said).toMatchObject({
    code: 1,
    err: expect.stringMatching(/The connection to the server 127\.0\.0\.1:\d+ was refused - did you specify the right host or port\?\n$/),
  });
  expect(home.server.port()).toBeUndefined();
  while (home.server.port() === undefined) await pause(50);
  expect(withoutWarnings(await home.apply(objects))).toMatchObject({ code: 0, err: "" });
});

test("cuts a connection now and then", async () => {
  home = await realCluster({ "api-server-flaps": 1 });
  await home.settle();
  expect(await home.kubectl("get", "--raw", "/readyz")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^Unable to connect to the server: .*connection reset by peer\n$/),
  });
  expect(await home.kubectl("get", "--raw", "/readyz")).toEqual({ code: 0, out: "ok", err: "" });
});
