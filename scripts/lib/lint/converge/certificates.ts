// Certificates and gateways: an issuer needs its keys, a certificate its issuer, a gateway its class and certificates, a route a gateway to hang on.
import type { KubeObject, Source } from "../../tree/types.ts";
import { controllerKey, existsKey, readyKey, secretKey } from "./keys.ts";
import { chartControlling } from "./chart-keys.ts";
import type { Behaviour } from "./behaviour.ts";
import { need, type Need } from "./step.ts";
import type { World } from "./world.ts";
import { maps } from "./shape.ts";

const CERT_MANAGER = "cert-manager.io";
const GATEWAY = "gateway.networking.k8s.io";
/** cert-manager reads a ClusterIssuer's Secrets from its own namespace. */
const ISSUER_SECRETS = "cert-manager";
/** An ACME order with DNS-01: the record has to be seen before it is signed. */
const ORDER_TAKES = 120;

/** An issuer: external account key, DNS tokens, CA. The account's own key it makes itself. */
export function issuer(object: KubeObject, source: Source): Behaviour {
  const namespace = object.metadata.namespace ?? ISSUER_SECRETS;
  const names = new Set<string>();
  const spec = object.spec ?? {};
  if (spec.ca?.secretName) names.add(spec.ca.secretName);
  if (spec.acme?.externalAccountBinding?.keySecretRef?.name) names.add(spec.acme.externalAccountBinding.keySecretRef.name);
  const needs: Need[] = [...names].map((name) => need(secretKey(namespace, name), "wait", "registers with %", source));
  return { needs, controller: CERT_MANAGER };
}

/** The Secrets with which an issuer's solvers write records: needed by each certificate, not by the issuer itself. */
function solverSecrets(object: KubeObject | undefined): string[] {
  const names: string[] = [];
  const look = (node: unknown) => {
    if (node === null || typeof node !== "object") return;
    for (const [key, value] of Object.entries(node)) {
      if (key.endsWith("SecretRef") && typeof value?.name === "string") names.push(value.name);
      else look(value);
    }
  };
  look(object?.spec?.acme?.solvers);
  return names;
}

/** A certificate; then its Secret exists. */
export function certificate(object: KubeObject, source: Source, world: World): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const { secretName, issuerRef } = object.spec ?? {};
  const needs: Need[] = [];
  if (issuerRef?.name && (issuerRef.group ?? CERT_MANAGER) === CERT_MANAGER) {
    const kind = issuerRef.kind ?? "Issuer";
    const reference = { group: CERT_MANAGER, kind, namespace: kind === "ClusterIssuer" ? "" : namespace, name: issuerRef.name };
    needs.push(need(readyKey(reference), "wait", "is signed by %", source));
    const from = kind === "ClusterIssuer" ? ISSUER_SECRETS : namespace;
    for (const name of solverSecrets(world.objects.get(existsKey(reference))?.object))
      needs.push(need(secretKey(from, name), "wait", "proves its names with %", source));
  }
  return { needs, provides: secretName ? [secretKey(namespace, secretName)] : [], takes: ORDER_TAKES, controller: CERT_MANAGER };
}

/** A class: the controller that takes it. Whose controller has a name that no chart here claims is not judged. */
export function gatewayClass(object: KubeObject, source: Source, world: World): Behaviour {
  const controller = String(object.spec?.controllerName ?? "").split("/")[0]!;
  const needs = chartControlling(controller, world.input.charts)
    ? [need(controllerKey(controller), "wait", "is worked on by %", source)]
    : [];
  const parameters = object.spec?.parametersRef;
  if (parameters?.name)
    needs.push(
      need(
        existsKey({ group: parameters.group, kind: parameters.kind, namespace: parameters.namespace ?? "", name: parameters.name }),
        "wait",
        "takes its parameters from %",
        source,
      ),
    );
  return { needs };
}

/** A gateway is programmed with its class and the certificates of its listeners. */
export function gateway(object: KubeObject, source: Source): Behaviour {
  const own = object.metadata.namespace ?? "";
  const needs = [
    need(
      readyKey({ group: GATEWAY, kind: "GatewayClass", namespace: "", name: object.spec?.gatewayClassName ?? "" }),
      "wait",
      "is of %",
      source,
    ),
  ];
  const secrets = new Set<string>();
  for (const { tls } of maps(object.spec?.listeners))
    for (const { kind = "Secret", name, namespace = own } of maps(tls?.certificateRefs))
      if (kind === "Secret") secrets.add(secretKey(namespace, name));
  for (const key of secrets) needs.push(need(key, "wait", "shows % as its certificate", source));
  return { needs };
}

/** A route: the gateways that it names must exist somewhere. It is applied without them, so this is no more than that. */
export function route(object: KubeObject, source: Source): Behaviour {
  const own = object.metadata.namespace ?? "";
  const needs: Need[] = [];
  for (const { group = GATEWAY, kind = "Gateway", name, namespace = own } of maps(object.spec?.parentRefs))
    if (kind === "Gateway" && group === GATEWAY)
      needs.push(need(existsKey({ group, kind, namespace, name }), "wait", "hangs on %", source));
  return { needs };
}
