// The pods of a tree, as far as its files say them: pod templates of built-in kinds, and what app-template makes of its values.
import { factsOf } from "./chart-facts.ts";
import type { RuleInput } from "./rule-input.ts";
import type { Located } from "../tree/types.ts";

type Fields = Record<string, unknown>;

export interface Container {
  name: string;
  image?: string;
  securityContext?: Fields;
  ports?: { hostPort?: number }[];
  /** From the object's root to its image. */
  path: (string | number)[];
}

export interface Pod {
  located: Located;
  namespace: string;
  /** hostNetwork, securityContext, volumes and the like. */
  spec: Fields & { volumes?: Fields[]; securityContext?: Fields };
  containers: Container[];
  path: (string | number)[];
}

const TEMPLATES: Record<string, string[]> = {
  Pod: ["spec"],
  Deployment: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};

/** Every pod that is written down. */
export function podsOf({ applied, charts }: Pick<RuleInput, "applied" | "charts">): Pod[] {
  const written = applied.flatMap((located): Pod[] => {
    const path = TEMPLATES[located.object.kind];
    const spec = path && /^(v1|apps\/v1|batch\/v1)$/.test(located.object.apiVersion) ? walk(located.object, path) : undefined;
    if (!path || !isMap(spec)) return [];
    return [{ located, namespace: located.object.metadata.namespace ?? "default", spec, containers: containersOf(spec, path), path }];
  });
  const templated = [...charts.values()]
    .filter(({ chart }) => factsOf(chart)?.workloads === "values")
    .flatMap(({ located }) => ofAppTemplate(located));
  return [...written, ...templated];
}

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const map = (value: unknown): Fields => (isMap(value) ? value : {});
const walk = (value: unknown, path: readonly string[]) => path.reduce<unknown>((one, key) => (isMap(one) ? one[key] : undefined), value);

function containersOf(spec: Fields, path: (string | number)[]): Container[] {
  return ["initContainers", "containers"].flatMap((list) =>
    ((spec[list] ?? []) as Fields[]).map((one, index) => ({
      name: String(one.name),
      ...(typeof one.image === "string" && { image: one.image }),
      ...(isMap(one.securityContext) && { securityContext: one.securityContext }),
      ...(Array.isArray(one.ports) && { ports: one.ports as { hostPort?: number }[] }),
      path: [...path, list, index, "image"],
    })),
  );
}

function ofAppTemplate(located: Located): Pod[] {
  const values = map(located.object.spec?.values);
  const defaults = map(values.defaultPodOptions);
  const volumes = Object.values(map(values.persistence))
    .map(map)
    .filter(({ enabled }) => enabled !== false)
    .map(volumeOf);
  return Object.entries(map(values.controllers)).map(([name, one]) => {
    const controller = map(one);
    const path = ["spec", "values", "controllers", name];
    const containers = ["initContainers", "containers"].flatMap((list) =>
      Object.entries(map(controller[list])).map(([key, value]): Container => {
        const { image, securityContext } = map(value);
        const text = imageText(image);
        return {
          name: key,
          ...(text !== undefined && { image: text }),
          ...(isMap(securityContext) && { securityContext }),
          path: [...path, list, key, "image"],
        };
      }),
    );
    return {
      located,
      namespace: located.object.metadata.namespace ?? "default",
      spec: { ...defaults, ...map(controller.pod), volumes },
      containers,
      path,
    };
  });
}

/** What a volume of app-template becomes: its `type` names the kind. */
const volumeOf = ({ type, ...rest }: Fields): Fields =>
  type === "custom" ? map(rest.volumeSpec) : { [String(type ?? "persistentVolumeClaim")]: rest };

/** `{registry, repository, tag, digest}` as one word; undefined where it is not all there. */
export function imageText(image: unknown): string | undefined {
  if (typeof image === "string") return image;
  if (!isMap(image) || typeof image.repository !== "string") return undefined;
  const { registry, repository, tag, digest, sha } = image;
  const name =
    typeof registry === "string" && registry && !repository.startsWith(`${registry}/`) ? `${registry}/${repository}` : repository;
  const end = typeof digest === "string" && digest ? `@${digest}` : typeof sha === "string" && sha ? `@sha256:${sha}` : "";
  return `${name}${tag === undefined || tag === null || tag === "" ? "" : `:${String(tag)}`}${end}`;
}

/** Images that the values of any chart set, wherever they stand: a map with `repository`, beside or with a tag. */
export function imagesIn(values: unknown, path: (string | number)[]): { image: string; path: (string | number)[] }[] {
  if (Array.isArray(values)) return values.flatMap((one, index) => imagesIn(one, [...path, index]));
  if (!isMap(values)) return [];
  const text = imageText(values);
  if (text !== undefined) return "tag" in values || "digest" in values ? [{ image: text, path: [...path, "tag"] }] : [];
  return Object.entries(values).flatMap(([key, one]) => imagesIn(one, [...path, key]));
}
