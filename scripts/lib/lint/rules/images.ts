// Images pinned by digest, or allowed without one by name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { about, type RuleInput, type Rule } from "../rule-input.ts";
import { imagesIn, podsOf } from "../pods.ts";
import type { Finding, Located } from "../../tree/types.ts";

interface Allowed {
  /** `repository:tag@digest`: digests that are known to be true. */
  digests: string[];
  /** Images without a digest, with the reason. */
  images: { image: string; reason: string }[];
}

let file: Allowed | undefined;
const allowed = () => (file ??= parse(readFileSync(join(import.meta.dirname, "../../../lint/allow.yaml"), "utf8")) as Allowed);

export const images: Rule = {
  name: "images",
  about: "every image is pinned by digest, or allowed without one by name",
  check(input) {
    const seen = new Set<string>();
    return imagesOf(input).flatMap(({ image, located, path }): Finding[] => {
      if (seen.has(`${located.source.file} ${image}`) || image.includes("{{")) return [];
      seen.add(`${located.source.file} ${image}`);
      return faultOf(image).map((words) => about(input, "images", "error", located, path, words));
    });
  },
};

function imagesOf(input: RuleInput): { image: string; located: Located; path: (string | number)[] }[] {
  const pods = podsOf(input).flatMap(({ located, containers }) =>
    containers.flatMap(({ image, path }) => (image === undefined ? [] : [{ image, located, path }])),
  );
  const values = input.applied
    .filter(({ object }) => object.kind === "HelmRelease")
    .flatMap((located) => imagesIn(located.object.spec?.values, ["spec", "values"]).map(({ image, path }) => ({ image, located, path })));
  return [...pods, ...values];
}

function faultOf(image: string): { message: string; why: string; fix: string }[] {
  const [, name = "", tag, digest] = /^(.+?)(?::([\w.-]+))?(@sha256:[0-9a-f]{64})?$/.exec(image) ?? [undefined, image];
  const why = "the registry decides what runs: a tag can be moved, and the next node that pulls it runs something else";
  if (tag === undefined && digest === undefined) return [{ message: `${image} has no tag`, why, fix: `write ${name}:VERSION@sha256:…` }];
  if (tag === "latest" && digest === undefined)
    return [{ message: `${image} is whatever is newest`, why, fix: `write ${name}:VERSION@sha256:…` }];
  const known = allowed().digests.find((one) => one.startsWith(`${name}:${tag}@`));
  if (digest !== undefined) return [];
  if (known !== undefined) return [{ message: `${image} has no digest`, why, fix: `write ${known}` }];
  if (allowed().images.some((one) => one.image === image || one.image === name)) return [];
  return [
    {
      message: `${image} has no digest`,
      why,
      fix: "pin it (crane digest, or Renovate's pinDigests), or name it in scripts/lint/allow.yaml with the reason",
    },
  ];
}
