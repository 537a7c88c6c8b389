// cert-manager and Envoy Gateway, as far as the home waits for them: issuers that have an account, certificates that are issued, gateways that are programmed.
import { isReadyNow, ready } from "../flux/status.ts";
import { PACE, type Step } from "./nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, entryAt, setStatus, storeOf } from "./store.ts";
import type { ClusterState, Entry } from "./state.ts";

export const ingressSteps = (state: Readonly<ClusterState>): Step[] => [
  ...issuerSteps(state),
  ...certificateSteps(state),
  ...gatewaySteps(state),
];

const step = (entry: Entry, what: string, apply: Step["apply"] | undefined): Step[] =>
  apply ? [{ at: entry.at + PACE.reconcile, what: `${entry.object.kind} ${entry.object.metadata.name} ${what}`, apply }] : [];

/** The home's own namespace for the Secrets of cluster-wide issuers. */
const OURS = "cert-manager";

function issuerSteps(state: Readonly<ClusterState>): Step[] {
  if (!runs(state, "Deployment/cert-manager", OURS)) return [];
  return entriesOf(state, "clusterissuers.cert-manager.io").flatMap((entry) => {
    const { externalAccountBinding, privateKeySecretRef } = entry.object.spec.acme;
    const key = externalAccountBinding?.keySecretRef.name as string | undefined;
    if (key !== undefined && !entryAt(state, "secrets", OURS, key))
      return step(
        entry,
        "waits",
        ready(entry, "False", "ErrRegisterACMEAccount", `Failed to register ACME account: secret ${JSON.stringify(key)} not found`),
      );
    const done = ready(entry, "True", "ACMEAccountRegistered", "The ACME account was registered with the ACME server");
    return step(
      entry,
      "has an account",
      done &&
        ((state, now) => {
          storeOf(state, now, "cert-manager").apply({
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: privateKeySecretRef.name as string, namespace: OURS },
          });
          done(state, now);
        }),
    );
  });
}

function certificateSteps(state: Readonly<ClusterState>): Step[] {
  if (!runs(state, "Deployment/cert-manager", OURS)) return [];
  return entriesOf(state, "certificates.cert-manager.io").flatMap((entry) => {
    const { metadata, spec } = entry.object;
    const issuer = entryAt(state, "clusterissuers.cert-manager.io", "", spec.issuerRef.name as string);
    if (!isReadyNow(issuer))
      return step(entry, "waits", ready(entry, "False", "DoesNotExist", "Issuing certificate as Secret does not exist"));
    const done = ready(entry, "True", "Ready", "Certificate is up to date and has not expired");
    return step(
      entry,
      "is issued",
      done &&
        ((state, now) => {
          storeOf(state, now, "cert-manager").apply({
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: spec.secretName as string, namespace: metadata.namespace! },
          });
          done(state, now);
        }),
    );
  });
}

function gatewaySteps(state: Readonly<ClusterState>): Step[] {
  if (!runs(state, "Deployment/envoy-gateway", "network")) return [];
  return entriesOf(state, "gateways.gateway.networking.k8s.io").flatMap((entry) => {
    const { metadata, status, spec } = entry.object;
    // the API server gives a new Gateway conditions that are about no generation
    if (status?.conditions?.[0]?.observedGeneration === metadata.generation) return [];
    if (!entryAt(state, "gatewayclasses.gateway.networking.k8s.io", "", spec.gatewayClassName as string)) return [];
    const address = spec.infrastructure?.annotations?.["lbipam.cilium.io/ips"] as string | undefined;
    return step(entry, "is programmed", (state) => {
      const at = Object.values(state.objects).find(({ object }) => object.metadata.uid === metadata.uid);
      if (!at) return;
      const message = `Address assigned to the Gateway, 2/2 envoy replicas available`;
      const about = { status: "True", observedGeneration: metadata.generation };
      const conditions = [
        { ...about, type: "Accepted", reason: "Accepted", message: "The Gateway has been scheduled by Envoy Gateway" },
        { ...about, type: "Programmed", reason: "Programmed", message },
      ];
      const addresses = address === undefined ? [] : [{ type: "IPAddress", value: address }];
      setStatus(state, at, { addresses, conditions }, "envoy-gateway");
    });
  });
}
