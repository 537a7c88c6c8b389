// Small trees for the lint's tests: files written to a folder of their own, gone afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A repository with these files; a list becomes one kustomization file of its resources. */
export function repository(files: Record<string, string | string[]>): string {
  const root = mkdtempSync(join(tmpdir(), "lint-tree-"));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : kustomization(...content));
  }
  return root;
}

/** A kustomization.yaml with these resources. */
export const kustomization = (...resources: string[]) =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n${resources.map((one) => `  - ${one}\n`).join("")}`;

/** A Flux Kustomization of a path; `more` is the rest of its spec, indented by two. */
export const ks = (name: string, path: string, more = "") => `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
spec:
  interval: 1h
  path: ./${path}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
${more}`;

/** The root of a tree of which everything under kubernetes/apps is applied; \`more\` as for \`ks\`. */
export const ROOT = (more = "") => ({
  "kubernetes/flux/cluster/ks.yaml": ks("cluster-apps", "kubernetes/apps", more).replace(
    "name: cluster-apps",
    "name: cluster-apps\n  namespace: flux-system",
  ),
});

export const configMap = (name: string, data: Record<string, string> = {}) =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: ${JSON.stringify(data)}\n`;
