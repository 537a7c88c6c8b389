// A small kubernetes/ with the ExternalSecrets and the secret-sources.yaml of ours, so that reading it takes no second.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";

const KUSTOMIZATION = { apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" };
const SOURCE = { kind: "GitRepository", name: "flux-system" };
/** Variables that our ExternalSecrets use beside names of items. */
const VARIABLES = { APP: "app", DOMAIN: "example.com", TUNNEL_ID: "tunnel" };

/** Writes `kubernetes/` below a root. */
export function writeSmallTree(root: string): void {
  const files = readdirSync("kubernetes", { recursive: true, encoding: "utf8" });
  for (const file of files.filter((one) => one.endsWith("/secret-sources.yaml"))) {
    mkdirSync(dirname(join(root, "kubernetes", file)), { recursive: true });
    cpSync(join("kubernetes", file), join(root, "kubernetes", file));
  }
  const manifests = files.filter((one) => one.endsWith("secret.yaml")).filter((one) => read(one).includes("external-secrets.io/"));
  mkdirSync(join(root, "kubernetes/all"));
  mkdirSync(join(root, "kubernetes/flux/cluster"), { recursive: true });
  manifests.forEach((one, index) => writeFileSync(join(root, `kubernetes/all/${index}.yaml`), read(one)));
  writeFileSync(
    join(root, "kubernetes/all/kustomization.yaml"),
    stringify({
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: manifests.map((_, index) => `./${index}.yaml`),
    }),
  );
  writeFileSync(
    join(root, "kubernetes/flux/cluster/ks.yaml"),
    stringify({
      ...KUSTOMIZATION,
      metadata: { name: "all", namespace: "flux-system" },
      spec: { interval: "1h", path: "./kubernetes/all", prune: true, sourceRef: SOURCE, postBuild: { substitute: VARIABLES } },
    }),
  );
}

const read = (file: string) => readFileSync(join("kubernetes", file), "utf8");
