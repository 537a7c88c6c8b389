// A node's name is a host name, a Kubernetes name, and (with underscores) the name of its VM, which TrueNAS has its own rule for.
import { show } from "./show.ts";

/** The VM's name: TrueNAS takes letters, digits and underscores, and nothing else. */
export const vmName = (node: string): string => node.replaceAll("-", "_");

const GOOD = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** What is wrong with a node's name, with a hint; undefined when nothing is. */
export function wrongName(name: string): string | undefined {
  if (name === "") return "is empty (as k8s-0)";
  if (name.length > 63) return `${show(name)} is longer than a host name may be (63 letters)`;
  if (GOOD.test(name)) return undefined;
  const [host = ""] = name.split(".");
  const better = host.toLowerCase().replaceAll("_", "-");
  const hint = GOOD.test(better)
    ? `write ${better}; its VM is called ${vmName(better)} by itself`
    : "lower-case letters, digits and dashes, as k8s-0";
  return `${show(name)} ${reason(name)} (${hint})`;
}

function reason(name: string): string {
  if (/[^ -~]/.test(name)) return "has letters outside ASCII, which neither TrueNAS nor a host name takes";
  if (name.includes(".")) return "has a dot, which TrueNAS takes in no VM's name";
  if (name.includes("_")) return "has an underscore, which no host name may have";
  if (/[A-Z]/.test(name)) return "has upper-case letters, which Kubernetes takes in no node's name";
  const odd = /[^a-z0-9-]/.exec(name)?.[0];
  return odd === undefined ? "begins or ends with a dash, which no host name may" : `has ${show(odd)}, which no host name may have`;
}
