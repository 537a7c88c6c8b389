// What stands in talos/nodes/<name>.yaml.njk arrives at the node as talosctl would send it; what cannot arrive is refused with its own file.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { renderDocuments } from "../../../scripts/lib/talos/render.ts";
import { printDocuments } from "../../../scripts/lib/text/yaml.ts";
import { testCluster, testVersions } from "../test-cluster.ts";

const cluster = testCluster();

/** A repository with this patch for k8s-0; a template is read once for each root. */
function home(patch: string, more = "") {
  const root = mkdtempSync(join(tmpdir(), "patch-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "talos/nodes"), { recursive: true });
  cpSync("talos/schematic.yaml", join(root, "talos/schematic.yaml"));
  writeFileSync(join(root, "talos/machineconfig.yaml.njk"), readFileSync("talos/machineconfig.yaml.njk", "utf8") + more);
  writeFileSync(join(root, "talos/nodes/k8s-0.yaml.njk"), patch);
  return { root, cluster, versions: testVersions };
}

const sent = async (patch: string, more?: string) => printDocuments(await renderDocuments(home(patch, more), cluster.nodes[0]!));
const without = () => sent("");
const refused = (patch: string) =>
  sent(patch).then(
    () => "",
    (error: Error) => error.message,
  );
const added = async (patch: string) => {
  const [before, after] = [(await without()).split("\n"), (await sent(patch)).split("\n")];
  return after.filter((line) => !before.includes(line) && !line.includes("permanent_addr"));
};
const fixture = (name: string) => readFileSync(join("test/fixtures/patches", name), "utf8");

describe("a scalar arrives as it was typed", () => {
  test("file permissions, which Talos reads as octal", async () =>
    expect(await added(fixture("octal-permissions.yaml"))).toContain("      permissions: 0644"));
  test.each(["1.10", "0x1F", "1_000", "yes", "True", "12:30", "1e3", "18446744073709551616"])("%s", async (typed) =>
    expect(await added(`machine:\n  sysctls:\n    some.key: ${typed}\n`)).toEqual([
      `    some.key: ${typed === "12:30" ? '"12:30"' : typed}`,
    ]),
  );
  test.each(["0644", "1.10", "yes", "0X1F", "null"])('"%s" stays a text', async (typed) =>
    expect(await added(`machine:\n  sysctls:\n    some.key: "${typed}"\n`)).toEqual([`    some.key: "${typed}"`]),
  );
});

describe("a key without a value", () => {
  test("changes nothing", async () => expect(await added(fixture("empty-keys.yaml"))).toEqual([]));
  test.each(["machine:", "machine:\n  kubelet:", "cluster:\n  network:\n    podSubnets:", "machine:\n  sysctls: ~"])("%j", async (patch) =>
    expect((await sent(`${patch}\n`)).split("\n").length).toBe((await without()).split("\n").length),
  );
  test("keeps an empty text from replacing one, as in Talos", async () =>
    expect(await added('machine:\n  kubelet:\n    image: ""\n')).toEqual([]));
  test("a field that no Talos knows stays, so that validation names it", async () =>
    expect(await added("machine:\n  kubelt:\n")).toEqual(["  kubelt: null"]));
});

test("merge keys and anchors are resolved", async () =>
  expect(await added(fixture("merge-key.yaml"))).toEqual([
    '    net.core.somaxconn: "65535"',
    "  sysfs:",
    '    net.core.somaxconn: "65535"',
    "    devices.system.cpu.cpu0.cpufreq.scaling_governor: performance",
  ]));

describe("is refused with its own file", () => {
  test("a JSON patch", async () =>
    expect(await refused(fixture("json6902.yaml"))).toBe(
      "could not make a machine config of talos/nodes/k8s-0.yaml.njk\n" +
        "  said: talos/nodes/k8s-0.yaml.njk:1: this is a JSON patch (a list); write a strategic merge patch (a map, as in talosctl)\n" +
        "  now:  nothing was changed\n" +
        "  next: fix talos/nodes/k8s-0.yaml.njk",
    ));
  test("a JSON patch below a comment of the template, by its line in the file", async () =>
    expect(await refused("{# two\n   lines #}\n- op: add\n  path: /x\n")).toContain("talos/nodes/k8s-0.yaml.njk:3: this is a JSON patch"));
  test("a text, in the second document", async () =>
    expect(await refused("machine: {}\n---\nnonsense\n")).toContain("talos/nodes/k8s-0.yaml.njk:3: this is not a map"));
  test.each([
    ["an alias without an anchor", "machine:\n  sysctls: *x\n", "x"],
    ["a merge of something else than a map", "machine:\n  sysctls:\n    <<: 5\n", "map"],
    [
      "a delete of what is not there",
      "machine:\n  sysctls:\n    missing:\n      $patch: delete\n",
      "v1alpha1 has no machine.sysctls.missing",
    ],
    [
      "a delete of an item that is not there",
      "machine:\n  files:\n    - path: /x\n      $patch: delete\n",
      "has no machine.files with path: /x",
    ],
    ["a delete inside an item", "machine:\n  files:\n    - content:\n        $patch: delete\n", "inside an item of a list"],
    ["a delete of the whole config", "$patch: delete\n", "cannot be deleted"],
    ["a text over a map", "machine:\n  kubelet: x\n", "machine.kubelet: a text cannot be merged over a map"],
    [
      "another type in free form",
      "machine:\n  kubelet:\n    extraConfig:\n      serializeImagePulls: 1\n",
      "an integer cannot be merged over a boolean",
    ],
    ["the same document twice", "machine: {}\n---\ncluster: {}\n", "v1alpha1 stands twice"],
  ])("%s", async (_what, patch, said) => {
    const message = await refused(patch);
    expect(message).toContain(said);
    expect(message).toContain("next: fix talos/nodes/k8s-0.yaml.njk");
  });
});

describe("as talosctl merges", () => {
  test("a document is deleted by its name", async () =>
    expect(await sent("apiVersion: v1alpha1\nkind: DHCPv4Config\nname: lan\n$patch: delete\n")).not.toContain("DHCPv4Config"));
  test("deletes come before what the same patch adds", async () => {
    const text = await sent("machine:\n  kernel:\n    modules:\n      - name: zfs\n      - name: nbd\n        $patch: delete\n");
    expect(text).toContain("      - name: nvme_tcp\n      - name: uio_pci_generic\n      - name: vfio-pci\n      - name: zfs\n");
    expect(text).not.toContain("name: nbd");
  });
  test("a pair of certificate and key is one value", async () =>
    expect(await added("machine:\n  ca:\n    crt: Y3J0\n")).toEqual(["    crt: Y3J0"]));
  test("Talos resets a volume's size when a patch has its volume and not the size", async () => {
    const volume = "apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\n";
    const text = await sent(`${volume}provisioning:\n  grow: true\n`, `---\n${volume}provisioning:\n  minSize: 10GiB\n  maxSize: 20GiB\n`);
    expect(text).toContain("provisioning:\n  maxSize: 20GiB\n  grow: true\n");
  });
});
