// The PodSecurity level of each namespace against what its pods need: Talos enforces baseline where no label says otherwise.
import { factsOf, isOn, LEVELS, type PodSecurity } from "../chart-facts.ts";
import { about, type RuleInput, type Rule } from "../rule-input.ts";
import { type Pod, podsOf } from "../pods.ts";
import type { Finding, Located } from "../../tree/types.ts";

const LABEL = "pod-security.kubernetes.io/enforce";
/** What baseline lets a container add. */
const BASELINE_CAPABILITIES = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(" "),
);
/** Volumes that restricted allows. */
const RESTRICTED_VOLUMES = /^(configMap|csi|downwardAPI|emptyDir|ephemeral|persistentVolumeClaim|projected|secret)$/;

interface Need {
  namespace: string;
  level: PodSecurity;
  why: string;
  located: Located;
  path: (string | number)[];
}

export const podSecurity: Rule = {
  name: "pod-security",
  about: "each namespace allows what its pods need, and no more",
  check(input) {
    const levels = levelsOf(input);
    const needs = [...chartNeeds(input), ...podsOf(input).flatMap(podNeeds)];
    const short = needs.filter(
      ({ namespace, level }) => rank(level) > rank(levels.get(namespace)?.level ?? "baseline") && namespace !== "kube-system",
    );
    const isLabelled = input.applied.some(
      ({ object }) =>
        object.kind === "Namespace" && Object.keys(object.metadata.labels ?? {}).some((key) => key.startsWith("pod-security")),
    );
    return [
      ...short.map(({ namespace, level, why, located, path }) =>
        about(input, "pod-security", isLabelled ? "error" : "unknown", located, path, {
          message: `needs PodSecurity ${level} in namespace ${namespace}, which enforces ${levels.get(namespace)?.level ?? "baseline"}: ${why}`,
          why: isLabelled
            ? "the API server refuses its pods: the release waits for them until it times out"
            : "no namespace of this tree has a level: its API server may check none; Talos checks baseline",
          fix: `patch the label ${LABEL}: ${level} onto the namespace, or give the pod less`,
        }),
      ),
      ...wide(input, levels, needs),
    ];
  },
};

const rank = (level: PodSecurity) => LEVELS.indexOf(level);

function levelsOf({ applied }: RuleInput): Map<string, { level: PodSecurity; located: Located }> {
  return new Map(
    applied
      .filter(({ object }) => object.kind === "Namespace")
      .toReversed() // what Flux applies stands, not what the bootstrap began with
      .map((located) => [
        located.object.metadata.name,
        { level: (located.object.metadata.labels?.[LABEL] as PodSecurity | undefined) ?? "baseline", located },
      ]),
  );
}

function chartNeeds({ charts }: RuleInput): Need[] {
  return [...charts.values()].flatMap(({ chart, located }) => {
    const facts = factsOf(chart);
    if (!facts?.podSecurity || !isOn(located.object.spec?.values, facts.podSecurityWhen, chart)) return [];
    return [
      {
        namespace: located.object.metadata.namespace ?? "default",
        level: facts.podSecurity,
        why: `the chart's pods need it`,
        located,
        path: ["spec", "chartRef"],
      },
    ];
  });
}

/** The level that a pod needs, with the first reason for it. */
export function podNeeds({ located, namespace, spec, containers, path }: Pod): Need[] {
  const reason = privilegedFor(spec, containers);
  if (reason) return [{ namespace, level: "privileged", why: reason, located, path }];
  const missing = notRestricted(spec, containers);
  return missing ? [{ namespace, level: "baseline", why: missing, located, path }] : [];
}

function privilegedFor(spec: Pod["spec"], containers: Pod["containers"]): string | undefined {
  for (const field of ["hostNetwork", "hostPID", "hostIPC"]) if (spec[field] === true) return `it sets ${field}`;
  if ((spec.volumes ?? []).some((volume) => "hostPath" in volume)) return "it mounts a hostPath";
  for (const { name, securityContext = {}, ports = [] } of containers) {
    if (securityContext.privileged === true) return `container ${name} is privileged`;
    const added = ((securityContext.capabilities as { add?: string[] } | undefined)?.add ?? []).find(
      (one) => !BASELINE_CAPABILITIES.has(one),
    );
    if (added) return `container ${name} adds the capability ${added}`;
    if (ports.some(({ hostPort }) => hostPort)) return `container ${name} has a hostPort`;
    if (securityContext.procMount === "Unmasked") return `container ${name} unmasks /proc`;
  }
  const type = (spec.securityContext?.seccompProfile as { type?: string } | undefined)?.type;
  return type === "Unconfined" ? "its seccomp profile is Unconfined" : undefined;
}

function notRestricted(spec: Pod["spec"], containers: Pod["containers"]): string | undefined {
  const pod = spec.securityContext ?? {};
  for (const { name, securityContext = {} } of containers) {
    const drop = (securityContext.capabilities as { drop?: string[] } | undefined)?.drop ?? [];
    if (securityContext.allowPrivilegeEscalation !== false) return `container ${name} may escalate its privileges`;
    if (!drop.includes("ALL")) return `container ${name} does not drop ALL capabilities`;
    if ((securityContext.runAsNonRoot ?? pod.runAsNonRoot) !== true) return `container ${name} may run as root`;
    const profile = ((securityContext.seccompProfile ?? pod.seccompProfile) as { type?: string } | undefined)?.type;
    if (profile !== "RuntimeDefault" && profile !== "Localhost") return `container ${name} has no seccomp profile`;
  }
  const volume = (spec.volumes ?? [])
    .flatMap((one) => Object.keys(one).filter((key) => key !== "name"))
    .find((kind) => !RESTRICTED_VOLUMES.test(kind));
  return volume ? `it mounts a volume of kind ${volume}` : undefined;
}

/** Namespaces that allow everything and in which nothing that is known needs it. */
function wide(input: RuleInput, levels: ReturnType<typeof levelsOf>, needs: readonly Need[]): Finding[] {
  const undescribed = new Set(
    [...input.charts.values()].filter(({ chart }) => !factsOf(chart)).map(({ located }) => located.object.metadata.namespace),
  );
  return [...levels]
    .filter(
      ([name, { level }]) =>
        level === "privileged" &&
        name !== "kube-system" &&
        !undescribed.has(name) &&
        !needs.some((one) => one.namespace === name && one.level === "privileged"),
    )
    .map(([name, { located }]) =>
      about(input, "pod-security", "note", located, ["metadata", "labels"], {
        message: `namespace ${name} allows privileged pods, and nothing in it is known to need that`,
        why: "a pod that breaks out of its container there owns the node",
        fix: "take the patch out of its kustomization.yaml, or say in scripts/lint/charts.yaml what needs it",
      }),
    );
}
