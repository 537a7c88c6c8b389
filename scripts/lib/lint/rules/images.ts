// Images pinned by digest, or allowed without one by name.
import { join } from "node:path/posix";
import { IMAGE_EXCEPTIONS } from "../../tree/data-files.ts";
import { about, at, type RuleInput, type Rule } from "../rule-input.ts";
import { imagesIn, podsOf } from "../pods.ts";
import type { Finding, Located } from "../../tree/types.ts";

interface Allowed {
  /** `repository:tag@digest`: digests that are known to be true. */
  digests: string[];
  /** Images without a digest, with the reason. */
  images: { image: string; reason: string }[];
}

function brokenExceptions({ tree: { files, root } }: RuleInput): Finding[] {
  const file = join(root, IMAGE_EXCEPTIONS);
  if (files.is(file) !== "file" || !files.isFaulty(file)) return [];
  const words = { message: "is not valid YAML", why: "none of its exceptions applies", fix: "correct the file" };
  return [at("images", "error", { file, line: 1 }, words)];
}

/** What the tree itself says; one without the file allows nothing. */
function allowedIn({ tree: { files, root } }: RuleInput): Allowed {
  const path = join(root, IMAGE_EXCEPTIONS);
  const [first] = files.is(path) === "file" ? files.documents(path) : [];
  const { digests, images } = (first?.value ?? {}) as Partial<Allowed>;
  return { digests: Array.isArray(digests) ? digests : [], images: Array.isArray(images) ? images : [] };
}

export const images: Rule = {
  name: "images",
  about: "every image is pinned by digest, or allowed without one by name",
  check(input) {
    const allowed = allowedIn(input);
    const seen = new Set<string>();
    const unpinned = imagesOf(input).flatMap(({ image, located, path }): Finding[] => {
      if (seen.has(`${located.source.file} ${image}`) || image.includes("{{")) return [];
      seen.add(`${located.source.file} ${image}`);
      return faultOf(image, allowed).map((words) => about(input, "images", "error", located, path, words));
    });
    return [...brokenExceptions(input), ...unpinned];
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

function faultOf(image: string, allowed: Allowed): { message: string; why: string; fix: string }[] {
  const [, name = "", tag, digest] = /^(.+?)(?::([\w.-]+))?(@sha256:[0-9a-f]{64})?$/.exec(image) ?? [undefined, image];
  const why = "the registry decides what runs: a tag can be moved, and the next node that pulls it runs something else";
  if (tag === undefined && digest === undefined) return [{ message: `${image} has no tag`, why, fix: `write ${name}:VERSION@sha256:…` }];
  if (tag === "latest" && digest === undefined)
    return [{ message: `${image} is whatever is newest`, why, fix: `write ${name}:VERSION@sha256:…` }];
  const known = allowed.digests.find((one) => one.startsWith(`${name}:${tag}@`));
  if (digest !== undefined) return [];
  if (known !== undefined) return [{ message: `${image} has no digest`, why, fix: `write ${known}` }];
  if (allowed.images.some((one) => one.image === image || one.image === name)) return [];
  return [
    {
      message: `${image} has no digest`,
      why,
      fix: "pin it (crane digest, or Renovate's pinDigests), or name it in image-exceptions.yaml at the top of the tree, with the reason",
    },
  ];
}
