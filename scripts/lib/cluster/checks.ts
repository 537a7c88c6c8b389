// Rules between fields.
import { checkAddresses } from "./checks/addresses.ts";
import { checkMachines, notSupported } from "./checks/machines.ts";
import { checkNetworks, publicNetworks } from "./checks/networks.ts";
import { checkNodes, oddNumbers } from "./checks/nodes.ts";
import { checkOwner, oddOwner } from "./checks/repository.ts";
import type { Finding, Read } from "./findings.ts";

/** All violations. */
export const checkHome = (read: Read): Finding[] => [
  ...checkNetworks(read),
  ...checkAddresses(read),
  ...checkNodes(read),
  ...checkMachines(read),
  ...checkOwner(read),
];

/** Warnings: unusual, but possibly intended. */
export const warnings = (read: Read): Finding[] => [...oddNumbers(read), ...notSupported(read), ...publicNetworks(read), ...oddOwner(read)];
