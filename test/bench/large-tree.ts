// A tree of as many applications as one asks for, each with a chart, values, a secret, a route and a backup: what the lint must stay quick on.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FLUX = { apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" };
const SOURCE = { kind: "GitRepository", name: "flux-system", namespace: "flux-system" };
const PER_NAMESPACE = 20;

/** Writes the tree below a folder; returns how many files it has. */
export function writeLargeTree(root: string, applications: number): number {
  let count = 0;
  const write = (path: string, ...documents: object[]) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), documents.map((one) => `---\n${yaml(one)}`).join(""));
    count += 1;
  };
  const kustomization = (path: string, resources: string[], more: object = {}) =>
    write(`${path}/kustomization.yaml`, { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", ...more, resources });
  const component = (name: string, resources: string[]) =>
    write(`kubernetes/components/${name}/kustomization.yaml`, {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources,
    });

  write("kubernetes/flux/cluster/ks.yaml", { ...FLUX, metadata: { name: "cluster-apps", namespace: "flux-system" }, spec: rootSpec() });
  component("namespace", ["./namespace.yaml"]);
  write("kubernetes/components/namespace/namespace.yaml", { apiVersion: "v1", kind: "Namespace", metadata: { name: "_" } });
  component("backup", ["./pvc.yaml"]);
  write("kubernetes/components/backup/pvc.yaml", {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "${APP}" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "${CAPACITY:=5Gi}" } } },
  });
  for (let from = 0; from < applications; from += PER_NAMESPACE) {
    const namespace = `group-${from / PER_NAMESPACE}`;
    const names = Array.from({ length: Math.min(PER_NAMESPACE, applications - from) }, (_, index) => `app-${from + index}`);
    kustomization(
      `kubernetes/apps/${namespace}`,
      names.map((name) => `./${name}/ks.yaml`),
      { components: ["../../components/namespace"], namespace },
    );
    for (const name of names) writeApplication({ write, kustomization }, namespace, name);
  }
  return count;
}

function writeApplication(
  {
    write,
    kustomization,
  }: { write(path: string, ...documents: object[]): void; kustomization(path: string, resources: string[], more?: object): void },
  namespace: string,
  name: string,
): void {
  const folder = `kubernetes/apps/${namespace}/${name}`;
  write(`${folder}/ks.yaml`, {
    ...FLUX,
    metadata: { name },
    spec: {
      components: ["../../../../components/backup"],
      interval: "1h",
      path: `./${folder}/app`,
      postBuild: { substitute: { APP: name } },
      prune: true,
      sourceRef: SOURCE,
      targetNamespace: namespace,
    },
  });
  kustomization(`${folder}/app`, ["./externalsecret.yaml", "./helmrelease.yaml", "./ocirepository.yaml"]);
  write(`${folder}/app/ocirepository.yaml`, {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name },
    spec: { interval: "15m", ref: { tag: "5.1.0" }, url: "oci://ghcr.io/bjw-s-labs/helm/app-template" },
  });
  write(`${folder}/app/externalsecret.yaml`, {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name },
    spec: {
      dataFrom: [{ extract: { key: name } }],
      secretStoreRef: { kind: "ClusterSecretStore", name: "onepassword" },
      target: { name: `${name}-secret` },
    },
  });
  write(`${folder}/app/helmrelease.yaml`, {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name },
    spec: { chartRef: { kind: "OCIRepository", name }, interval: "1h", values: values(name) },
  });
}

const rootSpec = () => ({
  interval: "1h",
  patches: [
    {
      patch: yaml({
        ...FLUX,
        metadata: { name: "_" },
        spec: { postBuild: { substitute: { DOMAIN: "example.com" } }, retryInterval: "2m", timeout: "10m" },
      }),
      target: { group: "kustomize.toolkit.fluxcd.io", kind: "Kustomization" },
    },
  ],
  path: "./kubernetes/apps",
  prune: true,
  sourceRef: SOURCE,
});

const values = (name: string) => ({
  controllers: {
    [name]: {
      annotations: { "reloader.stakater.com/auto": "true" },
      containers: {
        app: {
          env: { TZ: "Europe/Berlin", APP_URL: `https://${name}.\${DOMAIN}`, APP_PORT: "8080" },
          envFrom: [{ secretRef: { name: `${name}-secret` } }],
          image: { repository: `ghcr.io/example/${name}`, tag: `1.0.0@sha256:${"a".repeat(64)}` },
          probes: { liveness: { enabled: true }, readiness: { enabled: true } },
          resources: { limits: { memory: "512Mi" }, requests: { cpu: "10m" } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
        },
      },
    },
  },
  defaultPodOptions: { securityContext: { fsGroup: 1000, runAsGroup: 1000, runAsNonRoot: true, runAsUser: 1000 } },
  persistence: { config: { existingClaim: name }, tmp: { type: "emptyDir" } },
  route: {
    app: {
      hostnames: [`{{ .Release.Name }}.\${DOMAIN}`],
      parentRefs: [{ name: "envoy-internal", namespace: "network", sectionName: "https" }],
    },
  },
  service: { app: { controller: name, ports: { http: { port: 8080 } } } },
});

/** Block style, as people write it: the text must be as long to parse as theirs. */
function yaml(value: object, indent = ""): string {
  const entry = (one: unknown, prefix: string): string => {
    if (typeof one !== "object" || one === null) return `${prefix} ${JSON.stringify(one)}\n`;
    if (Object.keys(one).length === 0) return `${prefix} ${Array.isArray(one) ? "[]" : "{}"}\n`;
    return Array.isArray(one)
      ? `${prefix}\n${one.map((item) => listItem(item, `${indent}  `)).join("")}`
      : `${prefix}\n${yaml(one, `${indent}  `)}`;
  };
  return Object.entries(value)
    .map(([key, one]) =>
      typeof one === "string" && one.includes("\n")
        ? `${indent}${key}: |-\n${one.trimEnd().replaceAll(/^/gm, `${indent}  `)}\n`
        : entry(one, `${indent}${key}:`),
    )
    .join("");
}

const listItem = (item: unknown, indent: string): string =>
  typeof item === "object" && item !== null
    ? `${indent}- ${yaml(item, `${indent}  `).slice(indent.length + 2)}`
    : `${indent}- ${JSON.stringify(item)}\n`;
