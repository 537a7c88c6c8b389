// The home's two files and the tree: where they disagree, to the line, and how the tree is brought in step without touching another byte.
import { describe, expect, it } from "vitest";
import { disagreements, dnsAddress, inWords, PLACES, settle } from "../../../scripts/lib/tree/agreement.ts";
import { settingsOf, substituteOf } from "../../../scripts/lib/tree/settings.ts";
import { MAP_FILE, settingsIn } from "../../../scripts/lib/tree/settings-map.ts";
import { loadVersions } from "../../../scripts/lib/cluster/versions.ts";
import { testCluster, testVersions } from "../test-cluster.ts";
import { ourHome, ourTree, referenceTree } from "../gitops/home.ts";
import { FILES, filesUnder, read, ROOT } from "../gitops/tree.ts";

const tree = await referenceTree();
const textOf = async (file: string) => (await tree(file))!;
const home = testCluster();
const elsewhere = testCluster({
  network: {
    ...home.network,
    pods: "10.244.0.0/16",
    services: "10.96.0.0/12",
  },
  nodes: home.nodes.slice(0, 1),
  git: { url: "https://github.com/somebody/their-home", branch: "live", owner: "somebody" },
  nas: { address: "nas.lan", exports: { kopia: "/mnt/tank/kopia", "audio-books": "/mnt/tank/books" } },
  onepassword: { ...home.onepassword, vault: "Home Lab" },
  unifi: undefined,
});
const versions = { ...testVersions, TALOS_VERSION: "v1.13.10" };

it("this tree agrees with this home: task configure brings it there", async () => {
  expect((await disagreements(ourHome(), loadVersions(ROOT, {}), ourTree)).map(inWords)).toEqual([]);
});

it("every place is really there: a key that was renamed would never be compared again", async () => {
  const found = await disagreements(elsewhere, versions, tree);
  expect(
    found
      .filter(({ file }) => file !== MAP_FILE)
      .map(({ file, field }) => `${file} ${field}`)
      .sort(),
  ).toEqual(PLACES.map(({ file, path }) => `${file} ${path.join(".")}`).sort());
});

it("says file, line, field, what stands there and what is wanted", async () => {
  const line = async (file: string, text: string) =>
    `${file}:${(await textOf(file)).split("\n").findIndex((one) => one.includes(text)) + 1}`;
  const flux = "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml";
  const map = (text: string) => line(MAP_FILE, ` ${text}: `);
  expect((await disagreements(elsewhere, versions, tree)).map(inWords)).toEqual([
    `${await line(flux, "ref: ")} spec.values.instance.sync.ref is refs/heads/main, talos/cluster.yaml says refs/heads/live (git.branch)`,
    `${await line(flux, "url: ")} spec.values.instance.sync.url is https://github.com/example/home-ops, talos/cluster.yaml says https://github.com/somebody/their-home (git.url)`,
    `${await line("kubernetes/apps/kube-system/cilium/app/helmrelease.yaml", "ipv4Native")} spec.values.ipv4NativeRoutingCIDR is 10.42.0.0/16, talos/cluster.yaml says 10.244.0.0/16 (network.pods)`,
    `${await line("kubernetes/apps/kube-system/cilium/app/helmrelease.yaml", "replicas: 2")} spec.values.operator.replicas is 2, talos/cluster.yaml says 1 (one for each of nodes, two at most: they never share a node)`,
    `${await line("kubernetes/apps/kube-system/coredns/app/helmrelease.yaml", "clusterIP")} spec.values.service.clusterIP is 10.43.0.10, talos/cluster.yaml says 10.96.0.10 (the tenth address of network.services)`,
    `${await map("GITHUB_OWNER")} postBuild.substitute.GITHUB_OWNER is example, talos/cluster.yaml says somebody (git.owner)`,
    `${await map("GITHUB_REPOSITORY")} postBuild.substitute.GITHUB_REPOSITORY is home-ops, talos/cluster.yaml says their-home (git.url)`,
    `${await map("NAS_HOST")} postBuild.substitute.NAS_AUDIO_BOOKS is missing, talos/cluster.yaml says /mnt/tank/books (nas.exports.audio-books)`,
    `${await map("NAS_HOST")} postBuild.substitute.NAS_HOST is 192.168.120.10, talos/cluster.yaml says nas.lan (nas.address)`,
    `${await map("NAS_KOPIA")} postBuild.substitute.NAS_KOPIA is /mnt/flashstor/VolsyncKopia, talos/cluster.yaml says /mnt/tank/kopia (nas.exports.kopia)`,
    `${await map("NAS_MEDIA")} postBuild.substitute.NAS_MEDIA is /mnt/flashstor/Media, talos/cluster.yaml says none (nas.exports)`,
    `${await map("ONEPASSWORD_VAULT")} postBuild.substitute.ONEPASSWORD_VAULT is Infrastructure, talos/cluster.yaml says Home Lab (onepassword.vault)`,
    `${await map("PODS_CIDR")} postBuild.substitute.PODS_CIDR is 10.42.0.0/16, talos/cluster.yaml says 10.244.0.0/16 (network.pods)`,
    `${await map("TALOS_VERSION")} postBuild.substitute.TALOS_VERSION is v1.13.9, TALOS_VERSION is v1.13.10`,
    `${await map("UNIFI_HOST")} postBuild.substitute.UNIFI_HOST is 192.168.120.6, talos/cluster.yaml says none (unifi.address)`,
  ]);
});

it("a file or a field that a fork took out contradicts nothing", async () => {
  expect(await disagreements(elsewhere, versions, async () => undefined)).toEqual([]);
  expect(await disagreements(elsewhere, versions, async () => "---\nspec:\n  values: {}\n")).toEqual([]);
});

it("a map that cannot be read is told by its line, never taken for one that agrees", async () => {
  const text = await textOf(MAP_FILE);
  const line = text.split("\n").findIndex((one) => one.includes(" DOMAIN:")) + 1;
  const broken = text.replace("DOMAIN: example.com", 'DOMAIN: "example.com');
  await expect(disagreements(home, testVersions, async (file) => (file === MAP_FILE ? broken : undefined))).rejects.toThrow(
    new RegExp(`^${MAP_FILE}:\\d+: is not valid YAML: `),
  );
  await expect(
    disagreements(home, testVersions, async (file) =>
      file === MAP_FILE ? text.replace("DOMAIN: example.com", "DOMAIN: example.com\n              DOMAIN: example.org") : undefined,
    ),
  ).rejects.toThrow(`${MAP_FILE}:${line + 1}: is not valid YAML: Map keys must be unique`);
});

it("a setting that a fork added under a name of its own stays", async () => {
  const text = (await textOf(MAP_FILE)).replace("              DOMAIN:", "              CAT: felix\n              DOMAIN:");
  expect(await disagreements(home, testVersions, async (file) => (file === MAP_FILE ? text : await tree(file)))).toEqual([]);
});

it("no other file keeps a value of this home", () => {
  const settings = settingsOf(ourHome(), loadVersions(ROOT, {}));
  const common = ["GITHUB_OWNER", "GITHUB_REPOSITORY"]; // words that may well stand elsewhere
  const telling = Object.entries(substituteOf(settings)).filter(([name]) => !common.includes(name) && !name.startsWith("ITEM_"));
  const told = new Set([MAP_FILE, ...PLACES.map(({ file }) => file)]);
  const others = [...FILES, ...filesUnder("bootstrap"), ...filesUnder(".github"), ".renovaterc.json5", ".mise.toml", "Taskfile.yml"];
  const kept = others
    .filter((file) => !told.has(file))
    .flatMap((file) => {
      const text = read(file);
      return telling.filter(([, value]) => text.includes(value)).map(([name, value]) => `${file} says ${value} instead of \${${name}}`);
    });
  expect(kept).toEqual([]);
});

it.each([
  ["10.43.0.0/16", "10.43.0.10"],
  ["10.96.0.0/12", "10.96.0.10"],
  ["172.20.255.0/24", "172.20.255.10"],
])("names are asked at the tenth address of %s: %s", async (services, address) => {
  expect(await dnsAddress(services)).toBe(address);
});

describe("settle", () => {
  it("replaces the values and leaves every other byte", async () => {
    const file = "kubernetes/apps/kube-system/coredns/app/helmrelease.yaml";
    const text = '# ours\nspec:\n  values: {service: {clusterIP:   "10.43.0.10"  }} # odd, but ours\n\n\n---\nother: [1,2]\n';
    const found = await disagreements(elsewhere, versions, async (one) => (one === file ? text : undefined));
    expect(await settle(text, found)).toBe(text.replace("10.43.0.10", "10.96.0.10"));
  });

  it("brings the whole tree in step", async () => {
    const found = await disagreements(elsewhere, versions, tree);
    const settled = new Map<string, string>();
    for (const { file } of found)
      settled.set(
        file,
        await settle(
          await textOf(file),
          found.filter((one) => one.file === file),
        ),
      );
    expect(await disagreements(elsewhere, versions, async (file) => settled.get(file) ?? (await tree(file)))).toEqual([]);
    expect(await settingsIn(settled.get(MAP_FILE)!)).toEqual(substituteOf(settingsOf(elsewhere, versions)));
    expect(settled.get(MAP_FILE)).toContain(
      "v1.36.5\n              NAS_AUDIO_BOOKS: /mnt/tank/books\n              NAS_HOST: nas.lan\n              NAS_KOPIA: /mnt/tank/kopia\n              ONEPASSWORD_VAULT: Home Lab\n",
    );
    const untouched = (text: string) => text.replace(/^ {14}[A-Z_]+: .*\n/gm, "");
    expect(untouched(settled.get(MAP_FILE)!)).toBe(untouched(await textOf(MAP_FILE)));
  });

  it("fills a setting that stands there empty, and puts the first one before all others", async () => {
    const text = (await textOf(MAP_FILE)).replace(/ +ACME_EMAIL:.*\n/, "").replace("DOMAIN: example.com", "DOMAIN:");
    const found = await disagreements(home, testVersions, async (file) => (file === MAP_FILE ? text : undefined));
    expect(found.map(({ field, has }) => `${field} ${has}`)).toEqual([
      "postBuild.substitute.ACME_EMAIL missing",
      "postBuild.substitute.DOMAIN empty",
    ]);
    expect(await settle(text, found)).toBe(await textOf(MAP_FILE));
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
