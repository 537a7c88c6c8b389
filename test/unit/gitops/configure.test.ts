import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lookAtTree } from "../../../scripts/bootstrap/preflight.ts";
import { configure } from "../../../scripts/configure.ts";
import { PLACES } from "../../../scripts/lib/tree/agreement.ts";
import { MAP_FILE } from "../../../scripts/lib/tree/settings-map.ts";
import { record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";
import { referenceTree } from "./home.ts";

const COREDNS = "kubernetes/apps/kube-system/coredns/app/helmrelease.yaml";
const cluster = testCluster({ timezone: "Europe/Zurich", unifi: undefined });
cluster.network.services = "10.96.0.0/12";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "configure-"));
  const tree = await referenceTree();
  for (const file of new Set([MAP_FILE, ...PLACES.map((place) => place.file)])) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), (await tree(file)) ?? "");
  }
});
afterEach(() => rm(root, { recursive: true }));

const textOf = (file: string) => readFile(join(root, file), "utf8");
const lineOf = async (file: string, words: string) => (await textOf(file)).split("\n").findIndex((line) => line.includes(words)) + 1;

it("shows the diff, writes it, and says what is next", async () => {
  const [map, coredns] = [await textOf(MAP_FILE), await textOf(COREDNS)];
  const [timezone, dns] = [await lineOf(MAP_FILE, "TIMEZONE"), await lineOf(COREDNS, "clusterIP")];
  const lab = await record({ cluster, root });
  expect(await lab.run(configure, {})).toBeUndefined();
  const at = 14; // spaces before a setting
  const space = " ".repeat(at);
  expect(lab.plans).toEqual([
    {
      title: "configure: 3 values in kubernetes/",
      lines: [
        COREDNS,
        `@@ -${dns - 1},3 +${dns - 1},3 @@`,
        "       name: kube-dns",
        "-      clusterIP: 10.43.0.10 # the tenth address of the service network, which Talos configures in every kubelet",
        "+      clusterIP: 10.96.0.10 # the tenth address of the service network, which Talos configures in every kubelet",
        "     serviceAccount:",
        MAP_FILE,
        `@@ -${timezone - 1},5 +${timezone - 1},4 @@`,
        ` ${space}TALOS_VERSION: v1.13.9`,
        `-${space}TIMEZONE: America/New_York`,
        `+${space}TIMEZONE: Europe/Zurich`,
        ` ${space}TUNNEL_ID: 00000000-0000-4000-8000-000000000000`,
        `-${space}UNIFI_HOST: 192.168.120.6`,
        "       target:",
      ],
    },
  ]);
  expect(await textOf(COREDNS)).toBe(coredns.replace("10.43.0.10", "10.96.0.10"));
  expect(await textOf(MAP_FILE)).toBe(map.replace("America/New_York", "Europe/Zurich").replace(/ +UNIFI_HOST.*\n/, ""));
  expect(lab.said).toEqual(["wrote 3 values; Flux applies them after you commit and push"]);
});

it("asks nothing where nothing differs", async () => {
  const lab = await record({ root });
  await lab.run(configure, {});
  expect(lab.said).toEqual(["kubernetes/ agrees with talos/cluster.yaml and versions.env"]);
  expect(lab.plans).toEqual([]);
});

it("changes nothing in a dry run, nor after a No", async () => {
  const before = await textOf(MAP_FILE);
  for (const setup of [{ dryRun: true }, { yes: false }]) {
    const lab = await record({ cluster, root, ...setup });
    expect(await lab.run(configure, {})).toBeInstanceOf(Error);
    expect(lab.effects).toEqual([]);
    expect(await textOf(MAP_FILE)).toBe(before);
  }
});

it("keeps what somebody wrote while the question was open", async () => {
  const mine = async () => writeFile(join(root, COREDNS), `# mine\n${await textOf(COREDNS)}`);
  const lab = await record({ cluster, root, whileAsking: mine });
  expect(await lab.run(configure, {})).toBeUndefined();
  expect(await textOf(COREDNS)).toMatch(/^# mine\n[\s\S]*clusterIP: 10\.96\.0\.10/);
});

it("preflight says which copies differ, and that task configure mends it", async () => {
  const agrees = await record({ root });
  expect(await lookAtTree(agrees.context)).toEqual({ state: "ok", saw: "says what talos/cluster.yaml and versions.env say" });
  const differs = await record({ cluster, root });
  const [dns, timezone, unifi] = [
    await lineOf(COREDNS, "clusterIP"),
    await lineOf(MAP_FILE, "TIMEZONE"),
    await lineOf(MAP_FILE, "UNIFI_HOST"),
  ];
  expect(await lookAtTree(differs.context)).toEqual({
    state: "bad",
    saw: [
      `${COREDNS}:${dns} spec.values.service.clusterIP is 10.43.0.10, talos/cluster.yaml says 10.96.0.10 (the tenth address of network.services)`,
      `${MAP_FILE}:${timezone} postBuild.substitute.TIMEZONE is America/New_York, talos/cluster.yaml says Europe/Zurich (timezone)`,
      `${MAP_FILE}:${unifi} postBuild.substitute.UNIFI_HOST is 192.168.120.6, talos/cluster.yaml says none (unifi.address)`,
    ].join("\n"),
    fix: "task configure, then commit and push",
  });
});
