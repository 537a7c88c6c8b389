// A kubeconfig of the cluster that tests have, and the authority of it in the vault, so that a procedure takes it for its own.
import { kubeconfigFor, testCluster } from "../test-cluster.ts";

export const ourKubeconfig = async () => ({ env: { KUBECONFIG: kubeconfigFor(testCluster(), { ca: "QUJD" }) }, secrets: () => "QUJD" });
