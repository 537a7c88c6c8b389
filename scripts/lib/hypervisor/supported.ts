// Which hypervisor the procedures support.
import { Failure } from "../run/errors.ts";

/** Refuses the hypervisor that is not supported yet. */
export function requireTruenas(hypervisor: string, name: string): void {
  if (hypervisor !== "truenas")
    throw new Failure({
      attempted: `run ${name}`,
      said: `talos/cluster.yaml has hypervisor: ${hypervisor}, which is not supported yet; only truenas is`,
      now: "nothing was changed",
      next: "set hypervisor: truenas in talos/cluster.yaml",
    });
}
