// Files of kubernetes/ that are no manifests: procedures read them, Flux does not. No kustomization lists them.
import { basename } from "node:path";

/** Beside an application: who creates its secrets. */
export const SECRET_SOURCES = "secret-sources.yaml";
/** At the top of the tree: digests of images, and images without one. */
export const IMAGE_EXCEPTIONS = "image-exceptions.yaml";

export const isDataFile = (path: string) => [SECRET_SOURCES, IMAGE_EXCEPTIONS].includes(basename(path));
