// How a real cluster behind the world ends and begins: closed and opened, copied, killed; and what goes with a Namespace.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { entryAt } from "../../simulators/world/cluster/store.ts";
import { type RealCluster, realCluster, reopen } from "./real-cluster.ts";

const map = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" }, data: { b: "c" } });
const there = (home: RealCluster) => home.kubectl("get", "configmap", "a", "--output", "jsonpath={.data.b}");

test("a home that is opened again has what it had, and so has a copy that was taken while it was up", async () => {
  let home = await realCluster();
  await home.settle();
  await home.apply(map);
  await home.settle();
  const release = await home.server.quiesce();
  const folder = mkdtempSync(join(tmpdir(), "cluster-copy-"));
  cpSync(home.folder, folder, { recursive: true, verbatimSymlinks: true });
  release();
  expect(await home.kubectl("delete", "configmap", "a")).toMatchObject({ code: 0 });
  await home.apply(map.replace('"c"', '"d"'));
  await home.settle();

  const copy = await reopen(home, folder);
  await copy.settle();
  expect(await there(copy)).toEqual({ code: 0, out: "c", err: "" });
  await copy.end();

  await home.close();
  home = await reopen(home);
  await home.settle();
  expect(await there(home)).toEqual({ code: 0, out: "d", err: "" });
  expect(entryAt(home.world.state.cluster, "nodes", "", "k8s-0")).toBeDefined();
  await home.end();
});

test("nothing is left of a home that was killed", async () => {
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), join(import.meta.dirname, "killed.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  const folder = line.trim();
  const processes = () =>
    execFileSync("ps", ["-axo", "args"], { encoding: "utf8" })
      .split("\n")
      .filter((args) => args.includes(folder));
  expect(processes().filter((args) => /^\S*(etcd|kube-apiserver)[\s-]/.test(args))).toHaveLength(2);
  child.kill("SIGKILL");
  await once(child, "exit");
  await vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 300_000 });
  rmSync(folder, { recursive: true, force: true });
});

test("a Namespace goes with all that is in it", async () => {
  const home = await realCluster();
  await home.settle();
  const objects = ["Namespace x ", "ConfigMap a x", "Secret b x"].map((line) => {
    const [kind, name, namespace] = line.split(" ");
    return JSON.stringify({ apiVersion: "v1", kind, metadata: { name, ...(namespace && { namespace }) } });
  });
  expect(await home.apply(objects.join("\n---\n"))).toMatchObject({ code: 0 });
  await home.settle();
  expect(await home.kubectl("delete", "namespace", "x", "--timeout", "20s")).toMatchObject({ code: 0 });
  await home.settle();
  expect(Object.keys(home.world.state.cluster.objects).filter((key) => key.includes("/x"))).toEqual([]);
  await home.end();
});
