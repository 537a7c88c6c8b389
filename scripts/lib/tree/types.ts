// The types of a tree: Flux's Kustomizations with the objects that each builds, what the bootstrap applies, and the findings.

/** A place: a file relative to the base folder (the repository's root), a line from 1, and the document in the file. */
export interface Source {
  file: string;
  line: number;
  document?: number;
}

/** A manifest, with the shape that its own schema gives it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  // oxlint-disable-next-line typescript/no-explicit-any -- manifests have the shapes of their schemas, not of our types
  [key: string]: any;
}

/** An object and where it comes from; a generated one comes from the file of its kustomization. */
export interface Located {
  object: KubeObject;
  source: Source;
  /** Variables in it whose values come from a Secret and cannot be known offline. The variable's name in lower case replaces each value. */
  guessed?: string[];
  /** A SOPS file: Flux decrypts it before it applies it. */
  encrypted?: boolean;
}

/** A Kustomization of Flux and what it applies. */
export interface FluxKustomization {
  name: string;
  namespace: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the API's shape
  spec: any;
  source: Source;
  /** What `kustomize build` makes of its path, in that order, before any substitution. */
  objects: Located[];
  /** What is applied: after postBuild substitution, as the cluster does it with StrictPostBuildSubstitutions. */
  built: Located[];
  /** `namespace/name` of the Kustomization that applies this one; none for the one that the FluxInstance makes. */
  parent?: string;
  /** The variables of postBuild; undefined if some come from a Secret, or from a ConfigMap that cannot be read offline. */
  variables?: Record<string, string>;
  /** The build fails, so Flux applies nothing of it. A finding gives the reason. */
  broken?: boolean;
  /** Its source is no file of this tree: what it applies is unknown. */
  elsewhere?: boolean;
}

/** A release that the bootstrap installs, or whose CRDs it applies. */
export interface BootstrapRelease {
  name: string;
  namespace: string;
  /** `oci://…`, or `repository/chart`; undefined where the helmfile computes it in a way that cannot be read offline. */
  chart?: string;
  version?: string;
  values?: Record<string, unknown>;
  /** `namespace/name` of the releases before it. */
  needs: string[];
  source: Source;
}

export interface Bootstrap {
  /** What is applied before the first chart: namespaces and Secrets, whose values are references. */
  objects: Located[];
  /** What is installed, in the helmfile's order. */
  releases: BootstrapRelease[];
  /** Charts of which only the CustomResourceDefinitions are applied. */
  crdCharts: BootstrapRelease[];
}

export interface Tree {
  /** Absolute: what `path: ./kubernetes/apps` is relative to. */
  base: string;
  /** The linted folder from `base`: kubernetes. */
  root: string;
  /** The bootstrap's folder, absolute. */
  bootstrapRoot: string;
  /** Parents before children; the first is the one that the FluxInstance makes. */
  kustomizations: FluxKustomization[];
  bootstrap: Bootstrap;
  /** What was wrong while reading. */
  findings: Finding[];
  /** Every file that anything read, from `base`. */
  used: ReadonlySet<string>;
}

/** `error`: a first install or a running cluster breaks; `note`: it works, at a price; `unknown`: it cannot be known offline. */
export type Level = "error" | "note" | "unknown";

export interface Finding {
  rule: string;
  level: Level;
  file: string;
  line: number;
  /** `Kind namespace/name` of the object it is about. */
  object?: string;
  message: string;
  /** Why it breaks a cold start or a running cluster. */
  why: string;
  fix: string;
}
