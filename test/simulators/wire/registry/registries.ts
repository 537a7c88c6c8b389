// The public registries by host, and how each wants strangers to log in before they read.

export interface Registry {
  /** Where tokens are to be had; undefined where reading needs none. */
  realm?: string;
  service?: string;
}

const bearer = (realm: string, service: string): Registry => ({ realm, service });

/** As their `WWW-Authenticate` answers say it. */
export const REGISTRIES: Record<string, Registry> = {
  "ghcr.io": bearer("https://ghcr.io/token", "ghcr.io"),
  "quay.io": bearer("https://quay.io/v2/auth", "quay.io"),
  "registry-1.docker.io": bearer("https://auth.docker.io/token", "registry.docker.io"),
  "mirror.gcr.io": bearer("https://mirror.gcr.io/v2/token", "mirror.gcr.io"),
  "gcr.io": bearer("https://gcr.io/v2/token", "gcr.io"),
  "public.ecr.aws": bearer("https://public.ecr.aws/token/", "public.ecr.aws"),
  "registry.k8s.io": {},
};

/** The name under which charts of `docker.io` are asked for at the host that serves them. */
export const addressOf = (host: string, repository: string) => `${host === "registry-1.docker.io" ? "docker.io" : host}/${repository}`;
