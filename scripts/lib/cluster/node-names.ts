// The name of a node is a host name, a Kubernetes name and, with underscores, the name of its VM, for which TrueNAS has its own rule.
import { show } from "./show.ts";

/** The name of the VM: TrueNAS allows only letters, digits and underscores. */
export const vmName = (node: string): string => node.replaceAll("-", "_");

const GOOD = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** The problem of a node's name, with a hint; undefined for a valid name. */
export function wrongName(name: string): string | undefined {
  if (name === "") return "is empty (for example k8s-0)";
  if (name.length > 63) return `${show(name)} is longer than 63 characters, the limit of a host name`;
  if (GOOD.test(name)) return undefined;
  const [host = ""] = name.split(".");
  const better = host.toLowerCase().replaceAll("_", "-");
  const hint = GOOD.test(better)
    ? `write ${better}; its VM is then called ${vmName(better)}`
    : "lower-case letters, digits and dashes, for example k8s-0";
  return `${show(name)} ${reason(name)} (${hint})`;
}

function reason(name: string): string {
  if (/[^ -~]/.test(name)) return "contains letters outside ASCII, which neither TrueNAS nor host names allow";
  if (name.includes(".")) return "contains a dot, which TrueNAS does not allow in VM names";
  if (name.includes("_")) return "contains an underscore, which host names do not allow";
  if (/[A-Z]/.test(name)) return "contains upper-case letters, which Kubernetes does not allow in node names";
  const odd = /[^a-z0-9-]/.exec(name)?.[0];
  return odd === undefined
    ? "begins or ends with a dash, which host names do not allow"
    : `contains ${show(odd)}, which host names do not allow`;
}
