// Host names: which of them stand for a Service of the cluster, and which external-dns would publish from the tree.
import { isHelmRelease } from "../../tree/object.ts";
import type { Located } from "../../tree/types.ts";
import type { World } from "./world.ts";

export function hostOf(url: unknown): string | undefined {
  return typeof url === "string" && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** The Service that a host name inside the cluster stands for. */
export function inCluster(host: string): { name: string; namespace: string } | undefined {
  const [, name, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?$/.exec(host) ?? [];
  return name && namespace ? { name, namespace } : undefined;
}

/** The object from which external-dns makes a record of a name, wildcards too. */
export const publisherOf = (host: string, world: World): Located | undefined =>
  world.published.get(host) ?? world.published.get(`*${host.slice(host.indexOf("."))}`);

const ROUTES: ReadonlySet<string> = new Set(["HTTPRoute", "GRPCRoute", "TLSRoute"]);

/** The names that an object asks external-dns to publish. */
export function hostsOf(located: Located): string[] {
  const { object } = located;
  const spec = object.spec ?? {};
  const annotated = Object.entries(object.metadata.annotations ?? {}).flatMap(([key, value]) =>
    /^external-dns\.[a-z.]+\/hostname$/.test(key) ? String(value).split(",") : [],
  );
  const said = ROUTES.has(object.kind)
    ? valuesAt(spec, "hostnames[]")
    : object.kind === "DNSEndpoint"
      ? valuesAt(spec, "endpoints[].dnsName")
      : object.kind === "Ingress"
        ? valuesAt(spec, "rules[].host")
        : isHelmRelease(located)
          ? valuesAt(spec.values, "route.*.hostnames[]")
          : [];
  return [...annotated, ...said]
    .filter((host): host is string => typeof host === "string")
    .map((host) => host.trim().replaceAll(/\{\{\s*\.Release\.Name\s*\}\}/g, object.metadata.name));
}

/** What stands at a path; `[]` is each element of a list, `*` each value of a map. */
function valuesAt(values: unknown, path: string): unknown[] {
  let found: unknown[] = [values];
  for (const step of path.replaceAll("[]", ".[]").split("."))
    found = found.flatMap((value) => {
      if (step === "[]") return Array.isArray(value) ? value : [];
      if (value === null || typeof value !== "object") return [];
      return step === "*" ? Object.values(value) : [(value as Record<string, unknown>)[step]];
    });
  return found;
}
