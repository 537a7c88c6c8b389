// VMs and their devices on the simulated NAS: what each version refuses, what the server makes itself.
import { describe, expect, test } from "vitest";
import { findDataset } from "../../simulators/world/nas/datasets.ts";
import { deleteDevice, randomMac, updateDevice } from "../../simulators/world/nas/devices.ts";
import { vmsOf } from "../../simulators/world/nas/machines.ts";
import { powerOff, start } from "../../simulators/world/nas/power.ts";
import { createVm, orderOf, updateVm } from "../../simulators/world/nas/vms.ts";
import { type Attributes, type VmConfig } from "../../simulators/world/nas/nas.ts";
import { VERSIONS, SETTINGS, ISO, disk, cd, nic, linesOf, home, type Home } from "./truenas-home.ts";

describe("a VM", () => {
  const refused = (more: Partial<VmConfig>) => linesOf(createVm(home().nas, { ...SETTINGS, ...more }));
  test.each<[string, Partial<VmConfig>, string]>([
    ["with a dash", { name: "k8s-0" }, "vm_create.name Only alphanumeric characters are allowed. 22"],
    ["with a dot", { name: "k8s.0" }, "vm_create.name Only alphanumeric characters are allowed. 22"],
    ["with no UUID", { uuid: "x" }, "vm_create.uuid Value error, UUID is not valid version 4 22"],
    [
      "with more memory at least than at most",
      { min_memory: 50_000 },
      "vm_create.min_memory Minimum memory should not be greater than defined/maximum memory 22",
    ],
    [
      "with a model for the host's processor",
      { cpu_model: "EPYC" },
      'vm_create.cpu_model This attribute should not be specified when "cpu_mode" is not "CUSTOM". 22',
    ],
    [
      "with a machine of no architecture",
      { machine_type: "pc-q35-6.2" },
      'vm_create.arch_type Must be specified when "vm_create.machine_type" is set 22',
    ],
  ])("%s is refused", (_, more, text) => expect(refused(more)).toEqual([text]));

  test("with more than 255 processors is refused in one long line", () =>
    expect(refused({ vcpus: 16, cores: 16 })[0]).toMatch(/^vm_create.vcpus Maximum 255 vcpus are supported\.Please ensure the product/));
  test("of a name that is taken is refused with errno 17; the case counts", () => {
    const { nas, vm } = home();
    vm("k8s_0");
    expect(linesOf(createVm(nas, SETTINGS))).toEqual(["vm_create.name This name already exists. 17"]);
    expect(linesOf(createVm(nas, { ...SETTINGS, name: "K8S_0" }))).toEqual(["accepted"]);
  });
  test("keeps what the server makes: UUID and firmware", () => {
    const { nas, vm } = home();
    vm();
    expect(nas.vms[0]).toMatchObject({
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      bootloader_ovmf: "OVMF_CODE_4M.fd",
      state: "STOPPED",
    });
  });
  test("can be renamed only while it is off, and to a name that is free", () => {
    const { nas, around, vm, does } = home();
    vm("a");
    vm("b");
    expect(linesOf(updateVm(nas, 1, { name: "b" }))).toEqual(["vm_update.name This name already exists. 17"]);
    does(start(nas, 1, {}, around));
    expect(linesOf(updateVm(nas, 1, { name: "c" }))).toEqual(["[EFAULT] VM name can only be changed when VM is inactive"]);
    does(updateVm(nas, 1, { memory: 4096 }));
    expect(nas.vms[0]!.memory).toBe(4096);
    expect(linesOf(updateVm(nas, 7, {}))).toEqual([" VM 7 does not exist 2"]);
  });
});

describe("a device", () => {
  const attempt = (version: string, attributes: Attributes, before: (home: Home) => void = () => {}) => {
    const made = home(version);
    const id = made.vm();
    before(made);
    return linesOf(made.device(id, attributes));
  };
  const withIso = ({ file }: Home) => void file(ISO);

  test.each(VERSIONS)("%s: a CD from a child dataset is taken", (version) => expect(attempt(version, cd(), withIso)).toEqual(["accepted"]));
  test("a CD from the pool's root dataset is refused from 25.10 on, in other words in 26", () => {
    const path = "/mnt/flashstor/folder/talos.iso";
    const before = ({ file }: Home) => void file(path);
    expect(attempt("25.04.2", cd(path), before)).toEqual(["accepted"]);
    expect(attempt("25.10.5", cd(path), before)).toEqual([
      "attributes.path The path must be a dataset or a directory within a dataset. 22",
    ]);
    expect(attempt("26.0.0", cd(path), before)[0]).toContain("located in the root dataset of pool 'flashstor'");
  });
  test.each<[string, Attributes, string, ((home: Home) => void)?]>([
    ["a CD outside every pool", cd("/root/a.iso"), "attributes.path The path must reside within a pool mount point 22"],
    ["a CD that is not there", cd(), `attributes.path Unable to locate CDROM device at '${ISO}' 22`],
    ["a disk that is no zvol's", disk("/mnt/flashstor/a"), 'attributes.path Disk path must start with "/dev/zvol/" 22'],
    ["a zvol that is not there", disk("/dev/zvol/flashstor/VM/a"), "attributes.path Zvol referenced by path does not exist 2"],
    ["a dataset for a disk", disk("/dev/zvol/flashstor/VM"), "attributes.path Path specified does not reference to a VOLUME 22"],
    ["a NIC on no bridge", nic({ nic_attach: "br7" }), "attributes.nic_attach Not a valid choice. 22"],
    ["a NIC of a broadcast MAC", nic({ mac: "FF:00:00:00:00:01" }), "attributes.mac MAC address must not start with `ff` 22"],
    [
      "neither path nor zvol",
      disk(null as never),
      "vm_device_create.attributes.DISK Value error, Path must be specified if create_zvol is not set 22",
    ],
    [
      "path and zvol",
      disk("/dev/zvol/flashstor/VM/a", { create_zvol: true }),
      "vm_device_create.attributes.DISK Value error, Path should not be provided if create_zvol is set 22",
    ],
    ["a kind that this home does not need", { dtype: "PCI", pptdev: "x" }, "[ENOSYS] the simulated NAS was not taught devices of type PCI"],
  ])("%s is refused", (_, attributes, text) => expect(attempt("25.10.5", attributes)).toEqual([text]));

  test("is refused when the fault says so, as a CD that cannot be read", () =>
    expect(attempt("25.10.5", cd(), ({ file, faults }) => (file(ISO), faults.add("nas-device-refused")))[0]).toContain(
      "'libvirt-qemu' user cannot read from",
    ));
  test("twice in a VM is refused", () => {
    const { vm, device, does, zvol, file, nas } = home("26.0.0");
    const id = vm();
    zvol("flashstor/VM/a");
    file(ISO);
    for (const one of [cd(), disk("/dev/zvol/flashstor/VM/a"), nic()]) does(device(id, one));
    expect(linesOf(device(id, cd()))).toEqual([`attributes.path k8s_0 has "${ISO}" already configured 22`]);
    expect(linesOf(device(id, disk("/dev/zvol/flashstor/VM/a")))[0]).toContain("already configured");
    expect(linesOf(device(id, nic({ mac: "00-A0-98-28-C8-83" })))).toEqual([
      "attributes.mac k8s_0 already has a NIC with MAC address '00:a0:98:28:c8:83' configured 22",
    ]);
    expect(nas.vms[0]!.devices).toHaveLength(3);
  });
  test("gets its serial from the server, whatever was sent", () => {
    const { vm, device, does, zvol, nas } = home();
    zvol("flashstor/VM/a b");
    does(device(vm(), disk("/dev/zvol/flashstor/VM/a+b", { serial: "mine" })));
    expect(nas.vms[0]!.devices[0]!.attributes.serial).toMatch(/^[A-Za-z0-9]{8}$/);
  });
  test("can bring its own zvol, a thick one", () => {
    const { vm, device, does, nas } = home();
    const own = (name: string) => disk(null as never, { create_zvol: true, zvol_name: name, zvol_volsize: 16_384 });
    const id = vm();
    does(device(id, own("flashstor/VM/a")));
    expect(nas.vms[0]!.devices[0]!.attributes).toMatchObject({ path: "/dev/zvol/flashstor/VM/a", create_zvol: false, zvol_name: null });
    expect(linesOf(device(id, own("flashstor/VM/a")))).toEqual(["attributes.zvol_name 'flashstor/VM/a' already exists. 22"]);
    expect(linesOf(device(id, own("flashstor/none/a")))).toEqual(["attributes.zvol_name Parent dataset flashstor/none does not exist. 2"]);
  });
  test("without a MAC gets one at each start in 25.x, and for good when it is made in 26", () => {
    for (const version of VERSIONS) {
      const { vm, device, does, nas, around } = home(version);
      does(device(vm(), nic({ mac: null })));
      const kept = nas.vms[0]!.devices[0]!.attributes.mac;
      if (version === "26.0.0") expect(kept).toMatch(/^00:a0:98:[0-7]/);
      else expect(kept).toBeNull();
      does(start(nas, 1, {}, around));
      const first = vmsOf(nas)[0]!.mac;
      expect(first).toMatch(/^00:a0:98:/);
      does(powerOff(nas, 1, 0, around));
      does(start(nas, 1, {}, around));
      if (version !== "26.0.0") expect(vmsOf(nas)[0]!.mac).not.toBe(first);
    }
  });
  test("keeps the case of its MAC in 25.x; 26 normalises it", () => {
    for (const [version, mac] of [
      ["25.10.5", "00-A0-98-11-22-33"],
      ["26.0.0", "00:a0:98:11:22:33"],
    ] as const) {
      const { vm, device, does, nas } = home(version);
      does(device(vm(), nic({ mac: "00-A0-98-11-22-33" })));
      expect(nas.vms[0]!.devices[0]!.attributes.mac).toBe(mac);
    }
  });
  test("stands where its kind stands when nobody said, and moves those up whose place it takes", () => {
    const { vm, device, does, zvol, file, nas } = home();
    const id = vm();
    zvol("flashstor/VM/a");
    zvol("flashstor/VM/b");
    file(ISO);
    for (const one of [cd(), disk("/dev/zvol/flashstor/VM/a"), nic()]) does(device(id, one));
    expect(nas.vms[0]!.devices.map(orderOf)).toEqual([1000, 1001, 1002]);
    const second = home();
    second.zvol("flashstor/VM/a");
    second.file(ISO);
    const other = second.vm();
    second.does(second.device(other, disk("/dev/zvol/flashstor/VM/a"), 1001));
    second.does(second.device(other, nic(), 1002));
    second.does(second.device(other, cd(), 1001));
    expect(second.nas.vms[0]!.devices.map(({ order }) => order)).toEqual([1002, 1003, 1001]);
  });
  test("can be changed, but not its serial; can be deleted only while the VM is off", () => {
    const { vm, device, does, zvol, nas, around } = home();
    const id = vm();
    zvol("flashstor/VM/a");
    const made = does(device(id, disk("/dev/zvol/flashstor/VM/a")));
    const { attributes } = nas.vms[0]!.devices[0]!;
    expect(linesOf(updateDevice(nas, made, { ...attributes, serial: "mine" }, null, around))).toEqual([
      "attributes.serial This field is read-only. 22",
    ]);
    does(updateDevice(nas, made, { ...attributes, type: "AHCI" }, 7, around));
    expect(nas.vms[0]!.devices[0]).toMatchObject({ order: 7, attributes: { type: "AHCI" } });
    does(start(nas, id, {}, around));
    expect(linesOf(deleteDevice(nas, made, {}, around))).toEqual(["[EFAULT] Please stop/resume associated VM before deleting VM device."]);
    does(powerOff(nas, id, 0, around));
    does(deleteDevice(nas, made, { zvol: true }, around));
    expect([nas.vms[0]!.devices, findDataset(nas, "flashstor/VM/a")]).toEqual([[], undefined]);
    expect(linesOf(deleteDevice(nas, made, {}, around))).toEqual([` VMDevice ${made} does not exist 2`]);
  });
  test("makes MACs of TrueNAS' own", () => expect(randomMac()).toMatch(/^00:a0:98:[0-7][0-9a-f](:[0-9a-f]{2}){2}$/));
});
