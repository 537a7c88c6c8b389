// Datasets, zvols and files of the simulated NAS: names, room, what is busy, and what each version says.
import { describe, expect, test } from "vitest";
import { available, createDataset, type DatasetSpec, deleteDataset, findDataset } from "../../simulators/world/nas/datasets.ts";
import { kindOf, listdir, mkdir, putFile, stat, statfs } from "../../simulators/world/nas/files.ts";
import { nasPending } from "../../simulators/world/nas/machines.ts";
import { powerOff, start } from "../../simulators/world/nas/power.ts";
import { GB, TB, VERSIONS, ISO, disk, linesOf, home, type Home } from "./truenas-home.ts";

describe("a zvol", () => {
  const refused = (spec: Partial<DatasetSpec>, version?: string, before = (_home: Home) => {}) => {
    const { nas, around } = home(version);
    before({ nas, around } as Home);
    return linesOf(createDataset(nas, { name: "flashstor/VM/a", type: "VOLUME", volsize: 16_384, ...spec }, around));
  };
  const line = (field: string, text: string) => [`pool_dataset_create.${field} ${text} 22`];
  test.each<[string, Partial<DatasetSpec>, string[]]>([
    ["without a pool", { name: "a" }, line("name", "You need a full name, e.g. pool/newdataset")],
    ["with a trailing space", { name: "flashstor/a " }, line("name", "Trailing spaces are not permitted in dataset names")],
    ["with an odd name", { name: "flashstor/a#b" }, line("name", "Invalid dataset name")],
    ["in no pool", { name: "tank/a" }, line("name", "zpool (tank) does not exist.")],
    ["in no pool, deeper", { name: "tank/a/b" }, line("name", "Parent dataset (tank/a) does not exist.")],
    [
      "in no pool, with ancestors",
      { name: "tank/a/b", create_ancestors: true },
      line("name", "Please specify a pool which exists for the dataset/volume to be created"),
    ],
    ["in no dataset", { name: "flashstor/none/a" }, line("name", "Parent dataset (flashstor/none) does not exist.")],
    [
      "of more than 80 % of what is left, thin or not",
      { volsize: 17 * TB - ((17 * TB) % 16_384), sparse: true },
      line("volsize", "It is not recommended to use more than 80% of your available space for VOLUME"),
    ],
    ["of no whole number of blocks", { volsize: 1000 }, line("volsize", "Volume size should be a multiple of volume block size")],
    ["of the right size for larger blocks", { volsize: 131_072, volblocksize: "128K" }, ["accepted"]],
    ["with dashes, dots, colons and an inner space", { name: "flashstor/VM/k8s-0_a.b:c d" }, ["accepted"]],
  ])("%s", (_, spec, lines) => expect(refused(spec)).toEqual(lines));

  test("that exists surfaces from ZFS, not as a field", () => {
    for (const [version, text] of [
      ["25.10.5", "[EFAULT] Failed to create dataset: cannot create 'flashstor/VM/a': dataset already exists"],
      ["26.0.0", "[EFAULT] Failed to create dataset flashstor/VM/a: cannot create 'flashstor/VM/a': dataset already exists"],
    ]) {
      const { nas, around, zvol } = home(version);
      zvol("flashstor/VM/a");
      expect(linesOf(createDataset(nas, { name: "flashstor/VM/a", type: "VOLUME", volsize: 16_384 }, around))).toEqual([text]);
    }
  });
  test("cannot hold another; ancestors can be made on the way", () => {
    const { nas, around, zvol } = home();
    zvol("flashstor/VM/a");
    expect(linesOf(createDataset(nas, { name: "flashstor/VM/a/b", type: "VOLUME", volsize: 16_384 }, around))).toEqual(
      line("name", "flashstor/VM/a/b: parent may not be a ZFS volume"),
    );
    zvol("flashstor/x/y/z", { create_ancestors: true });
    expect(nas.datasets.map(({ name }) => name)).toContain("flashstor/x/y");
  });
  test("takes all of its size when it is thick, next to nothing when it is thin", () => {
    const { nas, around, zvol } = home();
    const before = available(nas, "flashstor", around);
    zvol("flashstor/VM/thin");
    expect(before - available(nas, "flashstor", around)).toBeLessThan(GB);
    zvol("flashstor/VM/thick", { sparse: false });
    expect(before - available(nas, "flashstor", around)).toBeGreaterThan(499 * GB);
    expect(
      linesOf(
        createDataset(nas, { name: "flashstor/VM/b", type: "VOLUME", volsize: 20 * TB - ((20 * TB) % 16_384), force_size: true }, around),
      ),
    ).toEqual(["[EFAULT] Failed to create dataset: cannot create 'flashstor/VM/b': out of space"]);
  });
  test("on a full pool has too little room", () => {
    const { nas, around, faults } = home();
    faults.add("nas-full-pool");
    expect(available(nas, "flashstor/VM", around)).toBe(8 * GB);
    expect(linesOf(createDataset(nas, { name: "flashstor/VM/a", type: "VOLUME", volsize: 16_384 * 500_000 }, around))[0]).toContain(
      "more than 80%",
    );
  });
});

describe("deleting a dataset", () => {
  test("is refused for what is not there, for a pool, and for one with children", () => {
    const { nas, around, zvol, does } = home();
    zvol("flashstor/VM/a");
    const refused = (name: string) => linesOf(deleteDataset(nas, name, {}, around));
    expect(refused("flashstor/none")).toEqual([" PoolDataset flashstor/none does not exist 2"]);
    expect(refused("flashstor")[0]).toContain("operation does not apply to pools");
    expect(refused("flashstor/VM")).toEqual([
      "[ENOTEMPTY] Failed to delete dataset: cannot destroy 'flashstor/VM': filesystem has children",
    ]);
    does(deleteDataset(nas, "flashstor/VM", { recursive: true }, around));
    expect(nas.datasets.map(({ name }) => name)).toEqual(["flashstor", "flashstor/ISO"]);
  });
  test.each(VERSIONS)("%s: of one that a VM has, or had a moment ago", (version) => {
    const { nas, around, at, zvol, vm, device, does } = home(version);
    zvol("flashstor/VM/a");
    does(device(vm(), disk("/dev/zvol/flashstor/VM/a")));
    does(start(nas, 1, {}, around));
    const busy =
      version === "26.0.0" ? ["accepted"] : ["[EBUSY] Failed to delete dataset: cannot destroy 'flashstor/VM/a': dataset is busy"];
    const attempt = () => linesOf(deleteDataset(nas, "flashstor/VM/a", {}, around));
    expect(attempt()).toEqual(busy);
    if (version === "26.0.0") expect(does(deleteDataset(nas, "flashstor/VM/a", {}, around))).toBe(true);
    does(powerOff(nas, 1, 4_000, around));
    expect([attempt(), nasPending(nas, at.now)]).toEqual([busy, true]);
    expect(findDataset(nas, "flashstor/VM/a")).toBeDefined();
    at.now += 5_000;
    does(deleteDataset(nas, "flashstor/VM/a", {}, around));
    expect([findDataset(nas, "flashstor/VM/a"), nasPending(nas, at.now)]).toEqual([undefined, false]);
  });
  test("takes its files along", () => {
    const { nas, around, file, does } = home();
    file(ISO);
    does(deleteDataset(nas, "flashstor/ISO", {}, around));
    expect(nas.files).toEqual({});
  });
});

describe("files", () => {
  test("are kept as size, sum and first bytes; stat tells seconds", () => {
    const { nas, file } = home();
    file(ISO);
    expect(stat(nas, ISO)).toMatchObject({ answer: { type: "FILE", size: 3_000_000, mtime: 5, mode: 0o100_644, is_mountpoint: false } });
    expect(stat(nas, "/mnt/flashstor/ISO/")).toMatchObject({ answer: { type: "DIRECTORY", is_mountpoint: true } });
    expect(stat(nas, "/mnt/x")).toMatchObject({ error: { reason: "[ENOENT] Path /mnt/x not found", errno: 2 } });
  });
  test("make their parent folders, which are no datasets", () => {
    const { nas, file, around } = home();
    file("/mnt/flashstor/iso/deep/a.iso");
    expect(nas.folders).toEqual(["/mnt/flashstor/iso/deep", "/mnt/flashstor/iso"]);
    expect(statfs(nas, "/mnt/flashstor/iso", around)).toMatchObject({ answer: { source: "flashstor", fstype: "zfs" } });
    expect(statfs(nas, "/mnt/flashstor/ISO", around)).toMatchObject({ answer: { source: "flashstor/ISO", dest: "/mnt/flashstor/ISO" } });
    expect(statfs(nas, "/mnt/none", around)).toMatchObject({ error: { errno: 2 } });
  });
  test("do not go where no pool is, onto a folder, or where there is no room", () => {
    const { nas, around, faults } = home();
    const put = (path: string, size = 1) => linesOf(putFile(nas, path, { size, sha256: "", head: "", mode: 0, mtime: 0 }, around));
    expect(put("/mnt/none/a")[0]).toContain("[Errno 2]");
    expect(put("/mnt/flashstor/ISO")[0]).toContain("[Errno 21]");
    faults.add("nas-full-pool");
    expect(put(ISO, 9 * GB)[0]).toContain("[Errno 28]");
  });
  test("are listed with folders and mounted datasets", () => {
    const { nas, file, does } = home();
    file(ISO);
    does(mkdir(nas, "/mnt/flashstor/folder"));
    const names = (path: string) => (listdir(nas, path) as { answer: { name: string }[] }).answer.map(({ name }) => name);
    expect(names("/mnt/flashstor")).toEqual(["ISO", "VM", "folder"]);
    expect(names("/mnt/flashstor/ISO")).toEqual(["talos.iso"]);
    expect(listdir(nas, "/mnt/none")).toMatchObject({ error: { errno: 2 } });
    expect(listdir(nas, ISO)).toMatchObject({ error: { errno: 20 } });
    expect(kindOf(nas, "/mnt")).toBe("DIRECTORY");
  });
  test.each([
    ["folder", "[EINVAL] folder: not an absolute path."],
    ["/mnt/flashstor/ISO", "[EEXIST] /mnt/flashstor/ISO: path already exists."],
    ["/root/x", "[EPERM] /root/x: path not permitted"],
    ["/mnt/flashstor/no/x", "[Errno 2] No such file or directory: '/mnt/flashstor/no/x'"],
  ])("mkdir %s is refused", (path, text) => expect(linesOf(mkdir(home().nas, path))).toEqual([text]));
});
