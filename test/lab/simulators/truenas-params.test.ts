// Parameters are refused in the words of TrueNAS' own validator: each line here is what the real models said to the same call.
import { beforeAll, describe, expect, test } from "vitest";
import { loadApi, openReader, type Read } from "../../simulators/wire/truenas/params.ts";

const VERSIONS = ["25.04.2", "25.10.5", "26.0.0"] as const;
type Reader = Awaited<ReturnType<typeof openReader>>;
const readers = {} as Record<(typeof VERSIONS)[number], Reader>;
beforeAll(async () => {
  for (const version of VERSIONS) readers[version] = await openReader(loadApi(version));
});

const extraOf = (read: Read) => ("error" in read ? read.error.extra!.map(([field, message]) => [field, message]) : "accepted");
const vm = (more: object) => [{ name: "k8s_0", memory: 8192, ...more }];
const device = (attributes: object, more: object = {}) => [{ vm: 1, attributes, ...more }];

describe.each(VERSIONS)("%s refuses", (version) => {
  test.each<[what: string, method: string, params: unknown[], ...lines: [string, string][]]>([
    ["no parameters", "vm.create", [], ["vm_create", "Field required"]],
    ["an empty object", "vm.create", [{}], ["vm_create.name", "Field required"], ["vm_create.memory", "Field required"]],
    ["two for one", "vm.create", [{}, {}], ["", "Too many arguments (expected 1, found 2)"]],
    ["an unknown key", "vm.create", vm({ foo: 1 }), ["vm_create.foo", "Extra inputs are not permitted"]],
    ["devices", "vm.create", vm({ devices: [] }), ["vm_create.devices", "Extra inputs are not permitted"]],
    ["a text for a number", "vm.create", vm({ memory: "8192" }), ["vm_create.memory", "Input should be a valid integer"]],
    ["a fraction", "vm.create", vm({ memory: 8192.5 }), ["vm_create.memory", "Input should be a valid integer"]],
    ["too little", "vm.create", vm({ memory: 10 }), ["vm_create.memory", "Input should be greater than or equal to 20"]],
    ["no vcpu", "vm.create", vm({ vcpus: 0 }), ["vm_create.vcpus", "Input should be greater than or equal to 1"]],
    ["another word", "vm.create", vm({ bootloader: "GRUB" }), ["vm_create.bootloader", "Input should be 'UEFI_CSM' or 'UEFI'"]],
    ["an empty name", "vm.create", vm({ name: "" }), ["vm_create.name", "String should have at least 1 character"]],
    ["null for a name", "vm.create", vm({ name: null }), ["vm_create.name", "Input should be a valid string"]],
    ["a number for yes", "vm.create", vm({ autostart: 1 }), ["vm_create.autostart", "Input should be a valid boolean"]],
    [
      "too short a time",
      "vm.create",
      vm({ shutdown_timeout: 2 }),
      ["vm_create.shutdown_timeout", "Input should be greater than or equal to 5"],
    ],
    [
      "too long a time",
      "vm.create",
      vm({ shutdown_timeout: 301 }),
      ["vm_create.shutdown_timeout", "Input should be less than or equal to 300"],
    ],
    [
      "a long text",
      "vm.create",
      vm({ description: "x".repeat(1025) }),
      ["vm_create.description", "String should have at most 1024 characters"],
    ],
    ["another time", "vm.create", vm({ time: "" }), ["vm_create.time", "Input should be 'LOCAL' or 'UTC'"]],
    ["a text for an id", "vm.delete", ["1"], ["id", "Input should be a valid integer"]],
    ["a third", "vm.start", [1, {}, {}], ["", "Too many arguments (expected 2, found 3)"]],
    ["a CD without a path", "vm.device.create", device({ dtype: "CDROM" }), ["vm_device_create.attributes.CDROM.path", "Field required"]],
    ["no kind of device", "vm.device.create", device({ path: "/mnt/a" }), ["vm_device_create.attributes.dtype", "Field required"]],
    [
      "a kind in the wrong place",
      "vm.device.create",
      device({ path: "/mnt/a" }, { dtype: "CDROM" }),
      ["vm_device_create.attributes.dtype", "Field required"],
      ["vm_device_create.dtype", "Extra inputs are not permitted"],
    ],
    [
      "a disk's bus",
      "vm.device.create",
      device({ dtype: "DISK", path: "/dev/zvol/t/x", type: "IDE" }),
      ["vm_device_create.attributes.DISK.type", "Input should be 'AHCI' or 'VIRTIO'"],
    ],
    [
      "a sector size",
      "vm.device.create",
      device({ dtype: "DISK", path: "/dev/zvol/t/x", logical_sectorsize: 1024 }),
      ["vm_device_create.attributes.DISK.logical_sectorsize", "Input should be None, 512 or 4096"],
    ],
    [
      "a disk's unknown key",
      "vm.device.create",
      device({ dtype: "DISK", path: "/dev/zvol/t/x", boot: true }),
      ["vm_device_create.attributes.DISK.boot", "Extra inputs are not permitted"],
    ],
    [
      "a malformed MAC",
      "vm.device.create",
      device({ dtype: "NIC", mac: "zz" }),
      ["vm_device_create.attributes.NIC.mac", "String should match pattern '^([0-9A-Fa-f]{2}[:-]?){5}([0-9A-Fa-f]{2})$'"],
    ],
    [
      "an unknown option",
      "pool.dataset.delete",
      ["t/v", { recursive_snapshots: true }],
      ["options.recursive_snapshots", "Extra inputs are not permitted"],
    ],
    ["an object for filters", "vm.query", [{}], ["filters", "Input should be a valid list"]],
  ])("%s: %s", (_, method, params, ...lines) => expect(extraOf(readers[version](method, params))).toEqual(lines));
});

test("a kind of device that is none is refused with those that are", () =>
  expect(extraOf(readers["25.10.5"]("vm.device.create", device({ dtype: "FLOPPY" })))).toEqual([
    [
      "vm_device_create.attributes",
      "Input tag 'FLOPPY' found using 'dtype' does not match any of the expected tags: 'CDROM', 'DISPLAY', 'NIC', 'PCI', 'RAW', 'DISK', 'USB'",
    ],
  ]));

test.each([
  ["without a user", { mechanism: "API_KEY_PLAIN", api_key: "k" }, "login_data.API_KEY_PLAIN.username"],
  ["without a mechanism", {}, "login_data.mechanism"],
])("a login %s is refused", (_, data, field) => {
  expect(extraOf(readers["25.10.5"]("auth.login_ex", [data]))).toEqual([[field, "Field required"]]);
  // 25.04 tries every mechanism and tells of all
  expect(extraOf(readers["25.04.2"]("auth.login_ex", [data]))).toContainEqual(["login_data.AuthApiKeyPlain.username", "Field required"]);
});

describe("a zvol without a size", () => {
  const params = [{ name: "t/v", type: "VOLUME" }];
  test("25.10 names both models that it tried", () =>
    expect(extraOf(readers["25.10.5"]("pool.dataset.create", params))).toEqual([
      ["data.PoolDatasetCreateFilesystem.type", "Input should be 'FILESYSTEM'"],
      ["data.PoolDatasetCreateVolume.volsize", "Field required"],
    ]));
  test("26 names the one that was meant", () =>
    expect(extraOf(readers["26.0.0"]("pool.dataset.create", params))).toEqual([["data.VOLUME.volsize", "Field required"]]));
  test("with a record size as well", () =>
    expect(extraOf(readers["26.0.0"]("pool.dataset.create", [{ ...params[0], volsize: 1, recordsize: "128K" }]))).toEqual([
      ["data.VOLUME.recordsize", "Extra inputs are not permitted"],
    ]));
  test("without a type, 26 takes it for a filesystem and 25.10 for what fits", () => {
    expect(extraOf(readers["26.0.0"]("pool.dataset.create", [{ name: "t/v", volsize: 1024 }]))).toEqual([
      ["data.FILESYSTEM.volsize", "Extra inputs are not permitted"],
    ]);
    expect(extraOf(readers["25.10.5"]("pool.dataset.create", [{ name: "t/v", volsize: 1024 }]))).toBe("accepted");
  });
});

describe("what differs by version", () => {
  test("firmware and secure boot cannot be updated from 25.10 on", () => {
    expect(extraOf(readers["25.10.5"]("vm.update", [1, { bootloader_ovmf: "a" }]))).toEqual([
      ["vm_update.bootloader_ovmf", "Extra inputs are not permitted"],
    ]);
    expect(extraOf(readers["25.04.2"]("vm.update", [1, { bootloader_ovmf: "a" }]))).toBe("accepted");
  });
  test("a CD's path must begin with /mnt/ in 25.04, later the server looks itself", () => {
    const cd = device({ dtype: "CDROM", path: "tank/a.iso" });
    expect(extraOf(readers["25.04.2"]("vm.device.create", cd))).toEqual([
      ["vm_device_create.attributes.CDROM.path", "String should match pattern '^/mnt/[^{}]*$'"],
    ]);
    expect(extraOf(readers["26.0.0"]("vm.device.create", cd))).toBe("accepted");
  });
  test("part of a device can be updated from 25.10 on", () => {
    const change = [5, { attributes: { path: "/mnt/t/iso/b.iso" } }];
    expect(extraOf(readers["25.04.2"]("vm.device.update", change))).not.toBe("accepted");
    expect(extraOf(readers["25.10.5"]("vm.device.update", change))).toBe("accepted");
  });
  test("a reconnect token is 26's", () => {
    const login = [{ mechanism: "API_KEY_PLAIN", username: "a", api_key: "k", login_options: { reconnect_token: true } }];
    expect(extraOf(readers["25.10.5"]("auth.login_ex", login))).toEqual([
      ["login_data.API_KEY_PLAIN.login_options.reconnect_token", "Extra inputs are not permitted"],
    ]);
    expect(extraOf(readers["26.0.0"]("auth.login_ex", login))).toBe("accepted");
  });
});

describe("defaults", () => {
  const valuesOf = (read: Read) => ("values" in read ? read.values : read.error);
  test("are filled in as they are stored", () => {
    const [stored] = valuesOf(readers["25.10.5"]("vm.create", vm({}))) as [object];
    expect(stored).toMatchObject({ vcpus: 1, cpu_mode: "CUSTOM", autostart: true, time: "LOCAL", shutdown_timeout: 90, uuid: null });
  });
  test("of suspending for snapshots turned in 26", () => {
    const of = (version: (typeof VERSIONS)[number]) =>
      (valuesOf(readers[version]("vm.create", vm({}))) as [{ suspend_on_snapshot: boolean }])[0].suspend_on_snapshot;
    expect(VERSIONS.map(of)).toEqual([false, false, true]);
  });
  test("are filled in inside the member of a union that was meant", () =>
    expect(valuesOf(readers["26.0.0"]("vm.device.create", device({ dtype: "DISK", path: "/dev/zvol/t/x" })))).toEqual([
      {
        vm: 1,
        order: null,
        attributes: {
          dtype: "DISK",
          path: "/dev/zvol/t/x",
          type: "AHCI",
          create_zvol: false,
          zvol_name: null,
          zvol_volsize: null,
          logical_sectorsize: null,
          physical_sectorsize: null,
          iotype: "THREADS",
          serial: null,
        },
      },
    ]));
  test("do not touch what was sent", () => {
    const given = vm({});
    readers["26.0.0"]("vm.create", given);
    expect(given).toEqual(vm({}));
  });
  test("of options that were left out are whole", () =>
    expect(valuesOf(readers["25.10.5"]("vm.stop", [1]))).toEqual([1, { force: false, force_after_timeout: false }]));
});
