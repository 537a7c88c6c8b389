// The objects of a manifest file, ready to be built.
import { normalize } from "node:path";
import { isObject } from "../object.ts";
import type { KubeObject, Source } from "../types.ts";
import type { Builder } from "./builder.ts";
import { copy } from "./fields.ts";
import type { Resource } from "./resource.ts";

/** The objects of a file, Lists taken apart. */
export function loadFile(builder: Pick<Builder, "files" | "fail">, path: string): Resource[] {
  return builder.files.documents(path).flatMap(({ value, line }, document) => {
    const source: Source = { file: normalize(path), line, document };
    const items = isList(value) ? value.items : [value];
    return items.flatMap((item) => {
      if (isObject(item)) return [resourceOf(copy(item), source)];
      builder.fail(
        source,
        "is no Kubernetes object: apiVersion, kind or metadata.name is missing",
        "complete it, or take the file off the list",
      );
      return [];
    });
  });
}

const isList = (value: unknown): value is { items: unknown[] } =>
  typeof value === "object" &&
  value !== null &&
  String((value as KubeObject).kind).endsWith("List") &&
  Array.isArray((value as KubeObject).items);

/** A resource as it stands in its file. */
export const resourceOf = (object: KubeObject, source: Source): Resource => ({
  object,
  source,
  before: [],
  hashed: false,
  behavior: "create",
  encrypted: typeof object.sops === "object" && object.sops !== null,
});
