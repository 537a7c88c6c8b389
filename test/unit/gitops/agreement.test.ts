// talos/cluster.yaml and the tree: where they disagree, to the line, and how the tree is brought in step without touching another byte.
import { describe, expect, it } from "vitest";
import { disagreements, dnsAddress, inWords, PLACES, settle } from "../../../scripts/lib/gitops/agreement.ts";
import { testCluster } from "../test-cluster.ts";
import { ourHome, ourTree, referenceTree } from "./home.ts";

const tree = await referenceTree();
const textOf = async (file: string) => (await tree(file))!;
const home = testCluster();
const elsewhere = testCluster({
  network: { ...home.network, pods: "10.244.0.0/16", services: "10.96.0.0/12", gateways: { from: "192.168.121.10", to: "192.168.121.20" } },
  git: { url: "https://github.com/somebody/their-home", branch: "live" },
  onepassword: { ...home.onepassword, vault: "Home Lab" },
});

it("this tree agrees with this talos/cluster.yaml", async () => {
  expect((await disagreements(ourHome(), ourTree)).map(inWords)).toEqual([]);
});

it("every place is really there: a key that was renamed would never be compared again", async () => {
  const found = await disagreements(elsewhere, tree);
  expect(found.map(({ file, field }) => `${file} ${field}`).sort()).toEqual(
    PLACES.map(({ file, path }) => `${file} ${path.join(".").replaceAll(/\.(\d+)/g, "[$1]")}`).sort(),
  );
});

it("says file, line, field, what stands there and what is wanted", async () => {
  const line = async (file: string, text: string) =>
    `kubernetes/apps/${file}:${(await textOf(`kubernetes/apps/${file}`)).split("\n").findIndex((one) => one.includes(text)) + 1}`;
  const flux = "flux-system/flux-instance/app/helmrelease.yaml";
  const pool = "kube-system/cilium/config/ciliumloadbalancerippool.yaml";
  const store = "external-secrets/external-secrets/stores/clustersecretstore.yaml";
  expect((await disagreements(elsewhere, tree)).map(inWords)).toEqual([
    `${await line(store, "Infrastructure: 1")} spec.provider.onepassword.vaults is Infrastructure, talos/cluster.yaml says Home Lab (onepassword.vault)`,
    `${await line(flux, "ref: ")} spec.values.instance.sync.ref is refs/heads/main, talos/cluster.yaml says refs/heads/live (git.branch)`,
    `${await line(flux, "url: ")} spec.values.instance.sync.url is https://github.com/example/home-ops, talos/cluster.yaml says https://github.com/somebody/their-home (git.url)`,
    `${await line("kube-system/cilium/app/helmrelease.yaml", "ipv4Native")} spec.values.ipv4NativeRoutingCIDR is 10.42.0.0/16, talos/cluster.yaml says 10.244.0.0/16 (network.pods)`,
    `${await line(pool, "start: ")} spec.blocks[0].start is 192.168.123.101, talos/cluster.yaml says 192.168.121.10 (network.gateways.from)`,
    `${await line(pool, "stop: ")} spec.blocks[0].stop is 192.168.123.149, talos/cluster.yaml says 192.168.121.20 (network.gateways.to)`,
    `${await line("kube-system/coredns/app/helmrelease.yaml", "clusterIP")} spec.values.service.clusterIP is 10.43.0.10, talos/cluster.yaml says 10.96.0.10 (the tenth address of network.services)`,
  ]);
});

it("a file or a field that a fork took out contradicts nothing", async () => {
  expect(await disagreements(elsewhere, async () => undefined)).toEqual([]);
  expect(await disagreements(elsewhere, async () => "---\nspec:\n  values: {}\n")).toEqual([]);
});

it.each([
  ["10.43.0.0/16", "10.43.0.10"],
  ["10.96.0.0/12", "10.96.0.10"],
  ["172.20.255.0/24", "172.20.255.10"],
])("names are asked at the tenth address of %s: %s", async (services, address) => {
  expect(await dnsAddress(services)).toBe(address);
});

describe("settle", () => {
  const POOL = "kubernetes/apps/kube-system/cilium/config/ciliumloadbalancerippool.yaml";
  const pool = async (text: string) =>
    (await disagreements(elsewhere, async (file) => (file === POOL ? text : undefined))).filter(({ file }) => file === POOL);

  it("replaces the values and leaves every other byte", async () => {
    const text = '# ours\nspec:\n  blocks:\n    - {start:   192.168.1.1,   stop: "192.168.1.2"} # odd, but ours\n\n\n---\nother: [1,2]\n';
    expect(await settle(text, await pool(text))).toBe(
      '# ours\nspec:\n  blocks:\n    - {start:   192.168.121.10,   stop: "192.168.121.20"} # odd, but ours\n\n\n---\nother: [1,2]\n',
    );
  });

  it("brings the whole tree in step", async () => {
    const found = await disagreements(elsewhere, tree);
    const settled = new Map<string, string>();
    for (const { file } of found)
      settled.set(
        file,
        await settle(
          await textOf(file),
          found.filter((one) => one.file === file),
        ),
      );
    expect(await disagreements(elsewhere, async (file) => settled.get(file) ?? (await tree(file)))).toEqual([]);
    for (const [file, text] of settled)
      expect(changedLines(await textOf(file), text), file).toBe(found.filter((one) => one.file === file).length);
  });

  it("quotes what would not be text without quotes", async () => {
    const text = "a: x\nb: 'x'\nc: x\n";
    expect(
      await settle(text, [
        { range: [3, 4], wants: "true" },
        { range: [8, 11], wants: "plain" },
        { range: [15, 16], wants: "a: b #c" },
      ]),
    ).toBe('a: "true"\nb: "plain"\nc: "a: b #c"\n');
  });
});

const changedLines = (before: string, after: string) =>
  before.split("\n").filter((line, index) => line !== after.split("\n")[index]).length;
