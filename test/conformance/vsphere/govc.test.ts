// The real govc against the simulated ESXi and vCenter, in the environment of a home.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type Home, openHome } from "../../simulators/home.ts";
import { serveVsphere, type VsphereOptions } from "../../simulators/wire/vsphere/vsphere.ts";
import { builtTools } from "../../tools/find.ts";

const { bin } = builtTools();
const [govcFile, vcsim] = [bin("govc"), bin("vcsim")];
const scratch = mkdtempSync(join(tmpdir(), "vsphere-"));
let home: Home | undefined;
afterEach(async () => void (home = await home?.remove().then(() => undefined)));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const open = async (kind: VsphereOptions["kind"]) =>
  (home = await openHome(mkdtempSync(join(scratch, "home-")), { vsphere: { kind, vcsim } }));

/** Exit code and both streams of a govc in the home. */
const govc = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(govcFile, words, { env: home!.environment({ NODE_OPTIONS: "" }) }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err: err.replace(/^\S*\/govc: /, "") }),
    );
  });
const NODE = "-on=false -g other6xLinux64Guest -firmware efi -c 4 -m 8192 -net.adapter vmxnet3 -disk.controller nvme -disk 500GB".split(
  " ",
);

/** The kinds of a VM's devices that are not every PC's. */
async function devices(vm: string): Promise<string[]> {
  const { out } = await govc("device.ls", "-vm", vm);
  return out
    .trim()
    .split("\n")
    .map((line) => line.split(/ +/)[1]!)
    .filter((kind) => /NVME|Disk|Vmxnet3/.test(kind));
}

describe("a standalone ESXi", () => {
  test("says what it is", async () => {
    await open("esx");
    expect(await govc("about")).toMatchObject({ code: 0, out: expect.stringMatching(/^API type: +HostAgent$/m), err: "" });
    expect(await govc("ls")).toMatchObject({ code: 0, out: expect.stringContaining("/ha-datacenter/vm\n") });
  });

  test("makes a VM with a disk on NVMe, and a second disk on the same controller", async () => {
    await open("esx");
    expect(await govc("vm.create", ...NODE, "k8s-0")).toEqual({ code: 0, out: "", err: "" });
    expect(await devices("k8s-0")).toEqual(["VirtualNVMEController", "VirtualDisk", "VirtualVmxnet3"]);
    expect((await govc("vm.disk.create", "-vm", "k8s-0", "-controller", "nvme", "-name", "k8s-0/data", "-size", "100GB")).code).toBe(0);
    expect(await devices("k8s-0")).toEqual(["VirtualNVMEController", "VirtualDisk", "VirtualVmxnet3", "VirtualDisk"]);
    const [{ name, config, runtime }] = JSON.parse((await govc("vm.info", "-json", "k8s-0")).out).virtualMachines;
    expect([name, config.firmware, config.hardware.numCPU, config.hardware.memoryMB, runtime.powerState]).toEqual([
      "k8s-0",
      "efi",
      4,
      8192,
      "poweredOff",
    ]);
  });

  test("has no VM that nobody made", async () => {
    await open("esx");
    expect(JSON.parse((await govc("vm.info", "-json", "k8s-9")).out)).toEqual({ virtualMachines: null });
    expect(await govc("device.ls", "-vm", "k8s-9")).toMatchObject({ code: 1, err: "vm 'k8s-9' not found\n" });
  });

  test("refuses a wrong password, and one whose certificate is not trusted", async () => {
    const { environment } = await open("esx");
    const asked = (extra: Record<string, string>) =>
      new Promise<string>(
        (resolve) => void execFile(govcFile, ["about"], { env: environment(extra) }, (_error, _out, err) => resolve(err)),
      );
    expect(await asked({ GOVC_PASSWORD: "wrong" })).toContain("Login failure");
    expect(await asked({ GOVC_TLS_CA_CERTS: "" })).toContain("certificate signed by unknown authority");
  });
});

describe("a vCenter", () => {
  test("says what it is, and makes a VM where it is told to", async () => {
    await open("vcenter");
    expect(await govc("about")).toMatchObject({ code: 0, out: expect.stringMatching(/^API type: +VirtualCenter$/m) });
    expect(await govc("vm.create", ...NODE, "k8s-0")).toMatchObject({
      code: 1,
      err: "default resource pool resolves to multiple instances, please specify\n",
    });
    expect(await govc("vm.create", "-pool", "/DC0/host/DC0_C0/Resources", "-net", "VM Network", ...NODE, "k8s-0")).toMatchObject({
      code: 0,
      err: "",
    });
    expect(await devices("k8s-0")).toEqual(["VirtualNVMEController", "VirtualDisk", "VirtualVmxnet3"]);
  });
});

describe("its process", () => {
  const answers = (url: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => (socket.destroy(), resolve(true)));
      socket.once("error", () => resolve(false));
    });

  test("ends with the home, and leaves nothing", async () => {
    const { environment, folder } = await open("esx");
    const { GOVC_URL = "" } = environment();
    expect([await answers(GOVC_URL), readdirSync(join(folder, "vsphere/datastores")).length]).toEqual([true, 1]);
    await home!.close();
    expect([await answers(GOVC_URL), existsSync(join(folder, "vsphere/datastores"))]).toEqual([false, false]);
  });

  test("ends when whoever started it is killed", async () => {
    const module = pathToFileURL(join(process.cwd(), "test/simulators/wire/vsphere/vsphere.ts")).href;
    const folder = join(scratch, "killed");
    const text = `import { serveVsphere } from ${JSON.stringify(module)};
      const { url } = await serveVsphere(${JSON.stringify({ tools: { vcsim }, folder, kind: "esx" })}); console.log(url);`;
    const parent = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", text]);
    const url = await new Promise<string>((resolve, reject) => {
      parent.stdout.once("data", (line) => resolve(String(line).trim()));
      parent.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
    });
    expect(await answers(url)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(async () => expect(await answers(url)).toBe(false), { timeout: 300_000 });
  });

  test("that cannot start says so in one line", async () => {
    const serve = (file: string) => serveVsphere({ tools: { vcsim: file }, folder: join(scratch, "none"), kind: "esx" });
    await expect(serve("/nowhere/vcsim")).rejects.toThrow(/^vcsim: it ended with 127: .*\/nowhere\/vcsim.*No such file or directory$/);
    await expect(serve("/bin/false")).rejects.toThrow(/^vcsim: it ended with 1$/);
    expect(readFileSync(join(scratch, "none/vcsim.log"), "utf8")).toBe("");
  });
});
