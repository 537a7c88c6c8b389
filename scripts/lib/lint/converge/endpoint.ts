// The API server's address must answer before anything in the cluster runs: never one that Cilium hands out (talos/cluster.yaml).
import type { Finding, Located } from "../../tree/types.ts";
import type { World } from "./world.ts";
import { maps } from "./shape.ts";

const number = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const isAddress = (text: unknown): text is string => typeof text === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(text);

/** First and last address of `192.168.1.0/24` or of a start and a stop. */
function rangeOf({ cidr, start, stop }: { cidr?: string; start?: string; stop?: string }): [number, number] | undefined {
  const [base, bits] = (cidr ?? "").split("/");
  if (isAddress(base)) {
    const size = 2 ** (32 - Number(bits ?? 32));
    const first = Math.floor(number(base) / size) * size;
    return [first, first + size - 1];
  }
  return isAddress(start) ? [number(start), number(isAddress(stop) ? stop : start)] : undefined;
}

/** Where the tree gives the API server's address to a load balancer, or points Cilium at one of its own. */
export function endpointFindings(world: World): Finding[] {
  const { cluster } = world.input;
  if (!cluster) return [];
  const findings: Finding[] = [];
  const report = ({ object, source }: Located, message: string) =>
    findings.push({
      rule: "endpoint-needs-the-cluster",
      level: "error",
      file: source.file,
      line: source.line,
      object: `${object.kind} ${object.metadata.namespace ? `${object.metadata.namespace}/` : ""}${object.metadata.name}`,
      message,
      why: "Cilium answers for its addresses only once it runs, and it cannot run before it has reached the API server",
      fix: "keep the endpoint (the VIP that Talos holds, or a node's address) out of the pool; Cilium itself asks KubePrism, 127.0.0.1:7445",
    });
  const pools = world.ofKind("CiliumLoadBalancerIPPool");
  const ranges = pools.flatMap((pool) => maps(pool.object.spec?.blocks).map((block: object) => ({ pool, range: rangeOf(block) })));
  const within = (address: string) => ranges.find(({ range }) => range && range[0] <= number(address) && number(address) <= range[1]);
  const own = isAddress(cluster.endpoint) ? within(cluster.endpoint) : undefined;
  if (own) report(own.pool, `the pool holds ${cluster.endpoint}, the API server's own address (talos/cluster.yaml)`);
  for (const kind of ["Service", "Gateway"]) {
    for (const located of world.ofKind(kind)) {
      const { metadata, spec } = located.object;
      const annotations = { ...metadata.annotations, ...spec?.infrastructure?.annotations };
      const asked = String(annotations["lbipam.cilium.io/ips"] ?? "")
        .split(",")
        .map((one) => one.trim());
      if (asked.includes(cluster.endpoint))
        report(located, `it asks Cilium for ${cluster.endpoint}, the API server's own address (talos/cluster.yaml)`);
    }
  }
  for (const located of world.ofKind("HelmRelease")) {
    const host = located.object.spec?.values?.k8sServiceHost;
    if (isAddress(host) && within(host)) report(located, `Cilium looks for the API server at ${host}, an address that it hands out itself`);
  }
  return findings;
}
