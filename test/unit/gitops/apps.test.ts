// Applications on app-template: each container is probed, bounded and unprivileged, and each name leads to one application only.
import { describe, expect, it } from "vitest";
import { type Any, documentsOf, folderOf, namespaceOf, ofKind, substituted } from "./tree.ts";

const APPS = ofKind("HelmRelease", "helm.toolkit.fluxcd.io").filter(({ file }) =>
  documentsOf(`${folderOf(file)}/ocirepository.yaml`)[0]!.object.spec.url.endsWith("/app-template"),
);
/** Images that start as root only, with the issue that says so beside their user. */
const AS_ROOT = ["karakeep"];

/** The capabilities that s6 and volumes may need, out of those that PodSecurity's level `baseline` lets a container have. */
const OF_BASELINE = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

const containersOf = ({ object }: (typeof APPS)[number]) =>
  Object.entries(object.spec.values.controllers as Record<string, Any>).flatMap(([controller, { containers }]) =>
    Object.entries(containers as Record<string, Any>).map(([name, container]) => [`${controller}/${name}`, container] as const),
  );

it("are at least eight beside the platform's own", () => {
  const platform = ["network", "volsync-system"];
  expect(APPS.filter(({ file }) => !platform.includes(namespaceOf(file))).length).toBeGreaterThanOrEqual(8);
});

describe.each(APPS.map((one) => [one.name, one] as const))("%s", (name, app) => {
  const { values } = app.object.spec;

  it("runs as somebody who is not root, with the runtime's own seccomp profile", () => {
    const { securityContext } = values.defaultPodOptions;
    const isRoot = AS_ROOT.includes(name);
    expect(securityContext).toMatchObject({ runAsNonRoot: !isRoot, seccompProfile: { type: "RuntimeDefault" } });
    expect(securityContext.runAsUser > 0).toBe(!isRoot);
  });

  it.each(containersOf(app))("%s is probed, bounded, unprivileged and pinned", (_container, container) => {
    const { probes, resources, securityContext, image } = container as Any;
    for (const probe of ["liveness", "readiness"]) expect(probes[probe]?.enabled, probe).toBe(true);
    expect(Object.keys(resources.requests as object)).toEqual(expect.arrayContaining(["cpu", "memory"]));
    expect(resources.limits).toEqual({ memory: expect.stringMatching(/^\d+[MG]i$/) as string });
    expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
    const added = (securityContext.capabilities.add ?? []) as string[];
    if (!AS_ROOT.includes(name)) expect(added).toEqual([]);
    for (const capability of added) expect(OF_BASELINE, "what the namespace's PodSecurity level lets in").toContain(capability);
    expect(image.tag).toMatch(image.repository === "ghcr.io/actualbudget/actual-server" ? /^\d/ : /@sha256:[0-9a-f]{64}$/);
  });

  it("replaces its pod before it makes another one, where the volume goes to one pod only", () => {
    if (values.persistence?.data?.existingClaim === undefined) return;
    for (const [, { strategy }] of Object.entries(values.controllers as Record<string, Any>)) expect(strategy, name).toBe("Recreate");
  });

  it("is reached through a gateway of this home, by its TLS listener", () => {
    for (const route of Object.values((values.route ?? {}) as Record<string, Any>)) {
      expect(route.parentRefs).toEqual([
        { name: expect.stringMatching(/^envoy-(internal|external)$/) as string, namespace: "network", sectionName: "https" },
      ]);
    }
  });
});

it("no two have one hostname", () => {
  const names = APPS.flatMap(({ name, object }) =>
    Object.values((object.spec.values.route ?? {}) as Record<string, Any>).flatMap(({ hostnames }) =>
      (hostnames as string[]).map((host) => String(substituted(host.replace("{{ .Release.Name }}", name)))),
    ),
  );
  expect(names.length).toBeGreaterThanOrEqual(8);
  expect(new Set(names).size).toBe(names.length);
});
