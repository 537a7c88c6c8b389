// How Flux will walk the tree: every path is there and is walked once, dependencies end, and nothing waits for what cannot come.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type Any,
  appOf,
  documentsOf,
  exists,
  FILES,
  folderOf,
  KUSTOMIZATIONS,
  namespaceOf,
  ofKind,
  read,
  releasesOf,
  ROOT,
  SETTINGS,
  TREE,
} from "./tree.ts";

const CHILDREN = KUSTOMIZATIONS.filter(({ file }) => file.startsWith("kubernetes/apps/"));
const id = ({ namespace, name }: { namespace: string; name: string }) => `${namespace}/${name}`;
const needsOf = ({ namespace, spec }: (typeof CHILDREN)[number]) =>
  ((spec.dependsOn ?? []) as { name: string; namespace?: string }[]).map((one) => id({ namespace, ...one }));

const allFilesUnder = (folder: string) => readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });

const isKustomize = ({ apiVersion }: { apiVersion: string }) => apiVersion.startsWith("kustomize.config.k8s.io/");
const NAMESPACES = TREE.filter((one) => isKustomize(one) && /^kubernetes\/apps\/[^/]+\/kustomization\.yaml$/.test(one.file));
const FOLDERS = TREE.filter((one) => isKustomize(one) && /^kubernetes\/apps\/[^/]+\/[^/]+\/[^/]+\/kustomization\.yaml$/.test(one.file));

describe("paths", () => {
  it("the path of every Kustomization is a folder that says what is in it", () => {
    for (const { file, spec, name, namespace } of CHILDREN) {
      expect(exists(`${spec.path}/kustomization.yaml`), `${file}: ${name}`).toBe(true);
      expect(spec.path, file).toMatch(new RegExp(`^\\./kubernetes/apps/${namespace}/${appOf(file)}/[a-z]+$`));
    }
  });
  it("every such folder is walked by exactly one Kustomization", () => {
    expect(FOLDERS.map(({ file }) => `./${folderOf(file)}`).sort()).toEqual(CHILDREN.map(({ spec }) => spec.path).sort());
  });
  it("every file of a folder is listed, and every listed file is there", () => {
    for (const { file, object } of FOLDERS) {
      const there = FILES.filter((one) => folderOf(one) === folderOf(file) && one !== file).map((one) => `./${one.split("/").at(-1)}`);
      expect(object.resources, file).toEqual(there);
    }
  });
  it("every ks.yaml is listed by its namespace, and there is no other file between", () => {
    for (const { file, object } of NAMESPACES) {
      const there = FILES.filter((one) => one.startsWith(`${folderOf(file)}/`) && one.endsWith("/ks.yaml")).map(
        (one) => `./${appOf(one)}/ks.yaml`,
      );
      expect(object.resources, file).toEqual(there);
      expect(object.namespace, file).toBe(namespaceOf(file));
      expect(object.components, file).toEqual(expect.arrayContaining(["../../components/alerts", "../../components/namespace"]));
    }
    const known = [...NAMESPACES, ...FOLDERS].map(({ file }) => folderOf(file));
    const stray = FILES.filter(
      (file) => file.startsWith("kubernetes/apps/") && !file.endsWith("/ks.yaml") && !known.includes(folderOf(file)),
    );
    expect(stray).toEqual([]);
  });
  it("the root walks kubernetes/apps, and no one thing hides the others", () => {
    const [root] = documentsOf("kubernetes/flux/cluster/ks.yaml");
    expect(root!.object.spec).toMatchObject({ path: "./kubernetes/apps", prune: true, wait: false });
    expect(exists("kubernetes/apps/kustomization.yaml")).toBe(false);
    const { sync } = documentsOf("kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml")[0]!.object.spec.values.instance;
    expect(exists(`${sync.path}/ks.yaml`)).toBe(true);
  });
});

/** `15m` */
const minutes = (duration: string) => {
  expect(duration).toMatch(/^\d+m$/);
  return Number.parseInt(duration, 10);
};

/** What one line that is lost in Git must not uninstall. */
const NEVER_PRUNED = [
  ["external-secrets/external-secrets", "with its definitions go all ExternalSecrets, and with them the Secrets"],
  ["flux-system/flux-instance", "it is Flux itself"],
  ["flux-system/flux-operator", "it is Flux itself"],
  ["kube-system/cilium", "without a network nothing can put it back"],
  ["kube-system/coredns", "without names nothing finds Git"],
  ["rook-ceph/ceph-csi-drivers", "volumes are mounted by them"],
  ["rook-ceph/rook-ceph", "a running Ceph is its custom resources"],
  ["rook-ceph/rook-ceph-cluster", "every volume is in it"],
] as const;

describe("every Kustomization", () => {
  it.each(CHILDREN.map((one) => [id(one), one] as const))(
    "%s is named after its app, and lands in its namespace",
    (_id, { file, spec, name, namespace, object }) => {
      const path = spec.path.split("/").at(-1);
      expect(name).toBe(path === "app" ? appOf(file) : `${appOf(file)}-${path}`);
      expect(spec).toMatchObject({
        interval: "1h",
        sourceRef: { kind: "GitRepository", name: "flux-system", namespace: "flux-system" },
        targetNamespace: namespace,
      });
      expect(object.metadata.namespace).toBeUndefined();
    },
  );

  it("says nothing that the root's patch would overwrite unseen, unless it bears the label that keeps the patch away", () => {
    const [defaults, settings] = documentsOf("kubernetes/flux/cluster/ks.yaml")[0]!.object.spec.patches as Any[];
    const patched = Object.keys((parse(defaults.patch) as Any).spec);
    expect(patched).toEqual(["patches", "retryInterval", "timeout"]);
    expect(defaults.target).toEqual({ group: "kustomize.toolkit.fluxcd.io", kind: "Kustomization", labelSelector: "!own-defaults" });
    expect((parse(settings.patch) as Any).spec).toEqual({ postBuild: { substitute: SETTINGS } });
    for (const { file, spec, object } of CHILDREN) {
      const own = Object.keys(spec).filter((key) => patched.includes(key));
      expect(own.length > 0, file).toBe("own-defaults" in (object.metadata.labels ?? {}));
      expect(spec.postBuild?.substituteFrom, file).toBeUndefined();
      expect(
        Object.keys(spec.postBuild?.substitute ?? {}).filter((name) => name in SETTINGS),
        file,
      ).toEqual([]);
    }
  });

  it("with defaults of its own retries as the others do, and outlasts its release", () => {
    const [defaults] = documentsOf("kubernetes/flux/cluster/ks.yaml")[0]!.object.spec.patches as Any[];
    const { patches, retryInterval } = (parse(defaults.patch) as Any).spec;
    const own = CHILDREN.filter(({ object }) => "own-defaults" in (object.metadata.labels ?? {}));
    expect(own.map(id)).toEqual(["rook-ceph/rook-ceph-cluster"]);
    for (const { spec } of own) {
      const parsed = (list: Any[]) => list.map(({ patch, target }) => ({ patch: parse(patch as string) as Any, target }));
      expect(parsed(spec.patches)).toEqual(parsed(patches));
      expect(spec.retryInterval).toBe(retryInterval);
      const release = documentsOf(`${spec.path}/helmrelease.yaml`)[0]!.object.spec;
      expect(minutes(spec.timeout)).toBeGreaterThan(minutes(release.timeout));
    }
  });

  it("outlasts each release that says how long it may take", () => {
    const shorter = CHILDREN.filter(({ spec }) => exists(`${spec.path}/helmrelease.yaml`)).filter(({ spec }) => {
      const { timeout } = documentsOf(`${spec.path}/helmrelease.yaml`)[0]!.object.spec;
      return timeout !== undefined && minutes(spec.timeout ?? "10m") <= minutes(timeout);
    });
    expect(shorter.map(id)).toEqual([]);
  });

  it("asks for decryption where a file is closed with SOPS: the controller has the key, and takes it only then", () => {
    for (const { file, spec } of CHILDREN) {
      const closed = allFilesUnder(spec.path.replace("./", "")).some((one) => one.includes(".sops."));
      expect(spec.decryption, file).toEqual(closed ? { provider: "sops" } : undefined);
    }
  });

  it.each(NEVER_PRUNED)("%s is not pruned: %s", (name) => {
    const one = CHILDREN.find((child) => id(child) === name)!;
    expect(one.spec.prune).toBe(false);
    expect(read(one.file), "it says why").toMatch(/^ {2}prune: false # \S+/m);
  });

  it("is pruned, with these exceptions", () => {
    expect(
      CHILDREN.filter(({ spec }) => spec.prune !== true)
        .map(id)
        .sort(),
    ).toEqual(NEVER_PRUNED.map(([name]) => name));
  });

  it("waits, or checks the health of named objects: `wait` would make Flux ignore the checks", () => {
    for (const { file, spec } of CHILDREN) {
      expect(spec.wait && spec.healthChecks, file).toBeFalsy();
      for (const { apiVersion, kind } of (spec.healthChecks ?? []) as Any[]) {
        const known =
          apiVersion.includes("fluxcd.io/") ||
          (spec.healthCheckExprs as Any[]).some((expr) => expr.apiVersion === apiVersion && expr.kind === kind);
        expect(known, `${file}: how does Flux know that a ${kind} is healthy?`).toBe(true);
      }
    }
  });
});

/** Groups whose kinds Flux itself and kustomize read. */
const OF_FLUX = new Set(["helm.toolkit.fluxcd.io", "kustomize.config.k8s.io", "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"]);

/** Groups of the charts whose definitions bootstrap applies before anything else. */
const BY_LIST: Record<string, string> = {
  "externaldns.k8s.io": "external-dns-cloudflare",
  "gateway.envoyproxy.io": "envoy-gateway",
  "gateway.networking.k8s.io": "envoy-gateway",
  "grafana.integreatly.org": "grafana-operator",
  "keda.sh": "keda",
  "monitoring.coreos.com": "kube-prometheus-stack",
  "snapshot.storage.k8s.io": "snapshot-controller",
  "volsync.backube": "volsync",
};

/** Groups of the releases that bootstrap installs: there for every application but the one that brings them. */
const BY_RELEASE: Record<string, string> = {
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "notification.toolkit.fluxcd.io": "flux-instance",
};

describe("dependencies", () => {
  const all = new Map(CHILDREN.map((one) => [id(one), one]));

  it("exist, and can be waited for", () => {
    for (const one of CHILDREN) {
      for (const needed of needsOf(one)) {
        const spec = all.get(needed)?.spec;
        expect(spec, `${id(one)} depends on ${needed}`).toBeDefined();
        expect(spec.wait === true || spec.healthChecks !== undefined, `${needed} is ready before what it installs is`).toBe(true);
      }
    }
  });

  it("have no cycle, and at most four steps", () => {
    const depth = (one: string, seen: string[]): number => {
      expect(seen, "a cycle").not.toContain(one);
      return 1 + Math.max(0, ...needsOf(all.get(one)!).map((needed) => depth(needed, [...seen, one])));
    };
    for (const one of all.keys()) expect(depth(one, []), one).toBeLessThanOrEqual(4);
  });

  it("come before custom resources: none stands beside the release that brings its kind", () => {
    const custom = TREE.filter(({ file, apiVersion }) => {
      const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
      return file.startsWith("kubernetes/apps/") && !OF_FLUX.has(group) && exists(`scripts/lint/schemas/crds/${group}`);
    });
    expect(custom.map(({ kind }) => kind)).toContain("CiliumLoadBalancerIPPool");
    for (const { file, kind, apiVersion } of custom) {
      const group = apiVersion.split("/")[0]!;
      const release = BY_RELEASE[group];
      if (BY_LIST[group] || (release && release !== appOf(file))) continue; // there before Flux is
      const walker = CHILDREN.find(({ spec }) => spec.path === `./${folderOf(file)}`)!;
      expect(needsOf(walker), `${file}: ${kind}`).toContain(`${namespaceOf(file)}/${appOf(file)}`);
    }
  });

  it("are not needed for kinds that bootstrap brings: they are in its lists", () => {
    const names = (file: string) => releasesOf(file).map(({ name }) => name);
    for (const release of Object.values(BY_LIST)) expect(names("bootstrap/helmfile.d/00-crds.yaml")).toContain(release);
    for (const release of Object.values(BY_RELEASE)) expect(names("bootstrap/helmfile.d/01-apps.yaml")).toContain(release);
  });
});

describe("releases", () => {
  const RELEASES = ofKind("HelmRelease", "helm.toolkit.fluxcd.io");
  const CHARTS = ofKind("OCIRepository", "source.toolkit.fluxcd.io");

  it.each(RELEASES.map((one) => [one.name, one] as const))(
    "%s has one name everywhere, and its chart beside it",
    (name, { file, object }) => {
      expect(appOf(file)).toBe(name);
      expect(object.spec.chartRef).toEqual({ kind: "OCIRepository", name });
      expect(Object.keys(object.spec).filter((key) => key !== "timeout")).toEqual(["chartRef", "interval", "values"]); // a targetNamespace would rename the release, and Flux would not adopt it
      expect(CHARTS.filter((one) => folderOf(one.file) === folderOf(file)).map((one) => one.name)).toEqual([name]);
    },
  );

  it.each(CHARTS.map((one) => [one.name, one] as const))("%s is pinned to one version", (_name, { object }) => {
    expect(Object.keys(object.spec.ref)).toEqual(["tag"]);
    expect(object.spec.ref.tag).toMatch(/^v?\d+\.\d+\.\d+$/);
    expect(object.spec.url).toMatch(/^oci:\/\/[a-z0-9./-]+$/);
    expect(object.spec.layerSelector).toEqual({ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: "copy" });
  });

  it("a Flux Operator and the instance that it runs are of one version", () => {
    const versions = CHARTS.filter(({ name }) => name.startsWith("flux-")).map(({ object }) => object.spec.ref.tag as string);
    expect(new Set(versions).size).toBe(1);
    expect(versions).toHaveLength(2);
  });
});

it("a namespace is never pruned", () => {
  const [namespace] = documentsOf("kubernetes/components/namespace/namespace.yaml");
  expect(namespace!.object.metadata.annotations).toEqual({ "kustomize.toolkit.fluxcd.io/prune": "disabled" });
  expect(namespace!.name).toBe("_"); // kustomize puts the parent's namespace in its place
});

describe("what docs/cluster.md says can be switched on", () => {
  const page = read("docs/cluster.md");
  const switches = [...page.matchAll(/list `(\S+)` under `components` of `(\S+)\/kustomization\.yaml`/gi)].map(
    ([, component, folder]) => [component!, folder!] as const,
  );

  it.each(switches)("%s is a component, from %s", (component, folder) => {
    const [kustomization] = documentsOf(join(folder, component, "kustomization.yaml"));
    expect(kustomization!.kind).toBe("Component");
    expect(exists(`${folder}/kustomization.yaml`)).toBe(true);
    for (const resource of kustomization!.object.resources as string[]) expect(exists(join(folder, component, resource))).toBe(true);
  });

  it("are BGP and the issuers for trying out, and neither is on", () => {
    expect(switches.map(([component]) => component)).toEqual([
      "../../../../components/issuers-staging",
      "../../../../components/cilium-bgp",
    ]);
    for (const [component, folder] of switches)
      expect(documentsOf(`${folder}/kustomization.yaml`)[0]!.object.components ?? []).not.toContain(component);
    expect(exists("kubernetes/apps/kube-system/cilium/config/ciliuml2announcementpolicy.yaml")).toBe(true);
  });

  it("every component is used by the tree or named there", () => {
    const used = FILES.filter((file) => file.startsWith("kubernetes/apps/"))
      .map(read)
      .join("\n");
    const components = FILES.filter((file) => /^kubernetes\/components\/[^/]+\/kustomization\.yaml$/.test(file)).map(
      (file) => file.split("/")[2]!,
    );
    expect(components.filter((name) => !used.includes(`components/${name}`) && !page.includes(`components/${name}`))).toEqual([]);
  });
});

it("every variable of the tree is a setting, one of its Kustomization's own, or has a default", () => {
  for (const { file, object } of TREE.filter((one) => !one.file.startsWith("kubernetes/flux/"))) {
    if (object.metadata?.annotations?.["kustomize.toolkit.fluxcd.io/substitute"] === "disabled") continue;
    const odd = [...JSON.stringify(object).matchAll(/\$\{([^}]*)\}/g)]
      .map(([, inner]) => inner!)
      .filter((inner) => !/^[A-Z][A-Z0-9_]*(:=[^}]*)?$/.test(inner));
    expect(odd, file).toEqual([]);
  }
});
