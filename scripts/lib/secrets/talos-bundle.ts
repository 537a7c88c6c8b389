// Talos' secrets bundle, as `talosctl gen secrets` writes it, and the fields of the vault that hold it.
import { readYaml, Unreadable } from "../run/tool-output.ts";

interface Bundle {
  cluster: { id: string; secret: string };
  secrets: { bootstraptoken: string; secretboxencryptionsecret: string };
  trustdinfo: { token: string };
  certs: Record<"etcd" | "k8s" | "k8saggregator" | "os", { crt: string; key: string }> & { k8sserviceaccount: { key: string } };
}

const PLACES: Record<string, string[]> = {
  CLUSTER_ID: ["cluster", "id"],
  CLUSTER_SECRET: ["cluster", "secret"],
  CLUSTER_TOKEN: ["secrets", "bootstraptoken"],
  CLUSTER_SECRETBOXENCRYPTIONSECRET: ["secrets", "secretboxencryptionsecret"],
  MACHINE_TOKEN: ["trustdinfo", "token"],
  MACHINE_CA_CRT: ["certs", "os", "crt"],
  MACHINE_CA_KEY: ["certs", "os", "key"],
  CLUSTER_CA_CRT: ["certs", "k8s", "crt"],
  CLUSTER_CA_KEY: ["certs", "k8s", "key"],
  CLUSTER_AGGREGATORCA_CRT: ["certs", "k8saggregator", "crt"],
  CLUSTER_AGGREGATORCA_KEY: ["certs", "k8saggregator", "key"],
  CLUSTER_ETCD_CA_CRT: ["certs", "etcd", "crt"],
  CLUSTER_ETCD_CA_KEY: ["certs", "etcd", "key"],
  CLUSTER_SERVICEACCOUNT_KEY: ["certs", "k8sserviceaccount", "key"],
};

/** The fields of the item for Talos: they belong together. */
export const TALOS_FIELDS = Object.keys(PLACES);

/** The vault's fields of a bundle. Throws when the bundle lacks one. */
export async function fieldsFromBundle(yaml: string): Promise<Record<string, string>> {
  const source = { command: "talosctl gen secrets", secret: true };
  const [bundle] = await readYaml<Bundle>(yaml, source);
  return Object.fromEntries(
    Object.entries(PLACES).map(([field, place]) => {
      const value = place.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], bundle);
      if (typeof value !== "string" || value === "")
        throw new Unreadable({ attempted: `read the output of \`${source.command}\``, said: `.${place.join(".")} is missing` });
      return [field, value];
    }),
  );
}

/** The bundle of the vault's fields, for `talosctl gen config --with-secrets`. */
export async function bundleFromFields(fields: (field: string) => string): Promise<string> {
  const { stringify } = await import("yaml");
  const bundle: Record<string, unknown> = {};
  for (const [field, place] of Object.entries(PLACES)) {
    const parent = place.slice(0, -1).reduce<Record<string, unknown>>((at, key) => (at[key] ??= {}) as Record<string, unknown>, bundle);
    parent[place.at(-1)!] = fields(field);
  }
  return stringify(bundle, { lineWidth: 0 });
}
