// versions.env, overridden by the environment.
export interface Versions {
  TALOS_VERSION: string;
  KUBERNETES_VERSION: string;
  FLUX_VERSION: string;
  [name: string]: string;
}

/** Reads `<root>/versions.env`; a name that the environment sets wins. Throws with file, line and a hint. */
export function loadVersions(_root: string, _env: NodeJS.ProcessEnv): Versions {
  throw new Error("not written yet");
}
