// A kubeconfig of the cluster that tests have, and the authority of it in the vault, so that a procedure takes it for its own.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { testCluster } from "../test-cluster.ts";

export async function ourKubeconfig() {
  const { name, endpoint } = testCluster();
  const file = join(mkdtempSync(join(tmpdir(), "kubeconfig-")), "kubeconfig");
  writeFileSync(
    file,
    stringify({
      "current-context": "admin",
      contexts: [{ name: "admin", context: { cluster: name } }],
      clusters: [{ name, cluster: { server: endpoint.url, "certificate-authority-data": "QUJD" } }],
    }),
  );
  return { env: { KUBECONFIG: file }, secrets: () => "QUJD" };
}
