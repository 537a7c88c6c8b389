// The name of the file beside an application that says who creates its secrets. It is no manifest: no kustomization lists it.

export const DECLARATION_FILE = "secret-sources.yaml";
