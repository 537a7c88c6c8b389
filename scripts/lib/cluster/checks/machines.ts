// The section of the hypervisor, its storage, and the sizes of the VMs.
import type { Finding, Path, Read } from "../findings.ts";
import { readSize } from "../readings.ts";

/** Minimum for Talos, Kubernetes and Ceph. */
const LEAST = { memory: "4GiB", bootDisk: "20GB", dataDisk: "10GB" };

export const checkMachines = (read: Read): Finding[] => [...checkSection(read), ...checkStorage(read), ...checkSizes(read)];

/** No procedure creates VMs on vSphere yet. */
export const notSupported = (read: Read): Finding[] =>
  read("hypervisor") === "vsphere"
    ? [
        {
          path: ["hypervisor"],
          message:
            "vsphere is not supported yet: talos:prepare-iso and vm:deploy refuse it, and no VM can be created (only truenas is supported)",
        },
      ]
    : [];

function checkSection(read: Read): Finding[] {
  const hypervisor = read("hypervisor");
  if (hypervisor === undefined || read<object>() === undefined || hypervisor in read<object>()!) return [];
  return [
    {
      path: ["hypervisor"],
      message: `is ${hypervisor}, and there is no section ${hypervisor} (it names the storage of VM disks and the ISO)`,
    },
  ];
}

function checkStorage(read: Read): Finding[] {
  const [pool, vms, isos] = [read("truenas", "pool"), read("truenas", "vmDataset"), read("truenas", "isoDataset")];
  const isoPath: Path = ["truenas", "isoDataset"];
  if (pool === undefined) return [];
  const elsewhere = [
    ["vmDataset", vms],
    ["isoDataset", isos],
  ].flatMap(([key, dataset]) =>
    dataset === undefined || `${dataset}/`.startsWith(`${pool}/`)
      ? []
      : [{ path: ["truenas", key!], message: `${dataset} is not in the pool ${pool} (write ${pool}/${dataset.split("/").at(-1)})` }],
  );
  if (isos === pool)
    return [
      ...elsewhere,
      {
        path: isoPath,
        message: `${isos} is the root dataset of the pool, from which TrueNAS does not attach ISO files (write ${pool}/ISO)`,
      },
    ];
  if (isos !== undefined && isos === vms)
    return [...elsewhere, { path: isoPath, message: `${isos} already holds the disks of the VMs (write ${pool}/ISO)` }];
  return elsewhere;
}

const checkSizes = (read: Read): Finding[] => [
  ...Object.entries(LEAST).flatMap(([key, least]) => {
    const has = read("vm", key);
    return has === undefined || bytes(has) >= bytes(least)
      ? []
      : [{ path: ["vm", key], message: `${has} is too small (${least} at least)` }];
  }),
  ...checkMemory(read("vm", "memory")),
];

/** Hypervisors count memory in MiB. */
function checkMemory(has: string | undefined): Finding[] {
  if (has === undefined || bytes(has) % 2 ** 20 === 0) return [];
  const meant = has.replace(/ ?([MGT])B$/, "$1iB");
  return [
    {
      path: ["vm", "memory"],
      message: `${has} is not a whole number of MiB, the unit of VM memory (${meant === has ? "for example 48GiB" : `write ${meant}`})`,
    },
  ];
}

function bytes(size: string): number {
  const reading = readSize(size);
  return "value" in reading ? reading.value : Number.NaN;
}
