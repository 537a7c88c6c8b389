// The Image Factory: the schematics it was given, the versions and extensions it has, the images it builds of them.
import { createHash } from "node:crypto";
import { readSchematic } from "./schematic.ts";
import type { State, World } from "../world.ts";
import type { Medium } from "./machine-state.ts";
import type { FactoryState } from "./factory-state.ts";

/** The empty schematic is there from the beginning. */
export const freshFactory = (): FactoryState => {
  const { id, canonical, extensions } = readSchematic("customization: {}") as { id: string; canonical: string; extensions: string[] };
  return { schematics: { [id]: { canonical, extensions } } };
};

const upTo = (minor: number, patch: number) => Array.from({ length: patch + 1 }, (_, at) => `v1.${minor}.${at}`);
export const VERSIONS = [...upTo(10, 9), ...upTo(11, 6), ...upTo(12, 11), ...upTo(13, 9), "v1.14.0-rc.0", "v1.14.0-rc.1"];

export const EXTENSIONS =
  "amd-ucode amdgpu binfmt-misc bnx2-bnx2x btrfs chelsio-drivers crun drbd fuse3 gasket-driver glibc gvisor hailort i915 intel-ice-firmware intel-ucode iscsi-tools kata-containers mei nbd nfsd nfsrahead nut-client nvidia-container-toolkit-lts nvme-cli qemu-guest-agent realtek-firmware spin stargz-snapshotter tailscale thunderbolt uinput usb-modem-drivers util-linux-tools v4l-uvc-drivers vmtoolsd-guest-agent wasmedge xe xen-guest-agent youki zfs"
    .split(" ")
    .map((name) => `siderolabs/${name}`);

/** Old names that the factory still takes. */
const ALIASES: Record<string, string> = {
  "siderolabs/talos-vmtoolsd": "siderolabs/vmtoolsd-guest-agent",
  "siderolabs/i915-ucode": "siderolabs/i915",
  "siderolabs/amdgpu-firmware": "siderolabs/amdgpu",
  "siderolabs/v4l-uvc": "siderolabs/v4l-uvc-drivers",
};

const withV = (version: string) => (version.startsWith("v") ? version : `v${version}`);

/** Takes a schematic; the same one again is no change. */
export function takeSchematic(world: World, text: string): { id: string; canonical: string } | { error: string } {
  const read = readSchematic(text);
  if ("error" in read) return read;
  const { id, canonical, extensions } = read;
  if (!world.state.factory.schematics[id])
    world.change("product", `schematic ${id.slice(0, 8)}`, ({ factory }) => void (factory.schematics[id] = { canonical, extensions }));
  return { id, canonical };
}

export type Refusal = { status: number; text: string };

/** Whether schematic, version and extensions go together; the factory's refusal when not. */
export function refusalOf({ factory }: Readonly<State>, id: string, version: string): Refusal | undefined {
  const schematic = factory.schematics[id];
  if (!schematic) return { status: 404, text: `schematic ID ${JSON.stringify(id)} not found` };
  if (!VERSIONS.includes(withV(version))) return { status: 404, text: `version ${version} is not available` };
  const unknown = schematic.extensions.find((name) => !EXTENSIONS.includes(ALIASES[name] ?? name));
  if (unknown)
    return {
      status: 400,
      text: `error enhancing profile from schematic: official extension ${JSON.stringify(unknown)} is not available for Talos version ${version}`,
    };
  return undefined;
}

const PLATFORMS = ["metal", "vmware", "nocloud"];

/** What an image's path asks for; only ISOs are built here. */
export function readPath(path: string): { platform: string } | Refusal {
  const [, platform = ""] = /^(\w+)-amd64(?:-secureboot)?\.iso$/.exec(path) ?? [];
  return PLATFORMS.includes(platform)
    ? { platform }
    : { status: 400, text: `error parsing profile from path: invalid profile path: ${JSON.stringify(path)}` };
}

/** Whether an installer image can be pulled from the factory, or from ghcr.io when it names no schematic, which ends with 1.13. */
export const hasInstaller = (state: Readonly<State>, { schematic, talos, platform }: Medium) =>
  PLATFORMS.includes(platform) &&
  (schematic === "" ? VERSIONS.includes(talos) && !/^v1\.(1[4-9]|[2-9]\d)/.test(talos) : refusalOf(state, schematic, talos) === undefined);

const ISO_BYTES = 3 * 1024 * 1024;

/** A simulated ISO: one line that says what it boots, then bytes that are the same whenever it is built. */
export function buildIso(medium: Medium): Buffer {
  const iso = Buffer.alloc(ISO_BYTES);
  iso.write(`${JSON.stringify(medium)}\n`.padEnd(512), 0);
  let block = createHash("sha512").update(iso.subarray(0, 512)).digest();
  const random = Buffer.alloc(64 * 1024);
  for (let at = 0; at < random.length; at += 64) {
    block.copy(random, at);
    block = createHash("sha512").update(block).digest();
  }
  for (let at = 512; at < iso.length; at += random.length) random.copy(iso, at);
  return iso;
}

/** What an ISO boots, from its first bytes; undefined for one that this home did not build. */
export function readIso(head: Buffer): Medium | undefined {
  try {
    const { talos, schematic, platform } = JSON.parse(head.subarray(0, 512).toString().split("\n")[0]!) as Partial<Medium>;
    return talos && schematic && platform ? { talos, schematic, platform } : undefined;
  } catch {
    return undefined; // any other file
  }
}
