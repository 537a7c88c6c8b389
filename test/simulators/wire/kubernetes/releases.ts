// Helm's releases as helm keeps them: a Secret for each revision, with the release as JSON, zipped, in base64 twice.
import { gunzipSync, gzipSync } from "node:zlib";
import { stringify } from "yaml";
import { chartName } from "../../world/charts/cluster-charts.ts";
import { objectsOf } from "../../world/charts/cluster-releases.ts";
import type { KubeObject, ReleaseState } from "../../world/cluster/state.ts";

const TYPE = "helm.sh/release.v1";

export const isRelease = ({ kind, type }: KubeObject) => kind === "Secret" && type === TYPE;

/** What such a Secret holds, as far as anybody here asks. */
interface Revision {
  name: string;
  namespace: string;
  version: number;
  info: { first_deployed: string; last_deployed: string; deleted?: string; description: string; status: string };
  chart: { metadata: { name: string; version: string; [key: string]: unknown }; [key: string]: unknown };
  config?: unknown;
  manifest: string;
  [key: string]: unknown;
}

export const nameOfSecret = (name: string, revision: number) => `sh.helm.release.v1.${name}.v${revision}`;

export const revisionOf = ({ data }: KubeObject): Revision =>
  JSON.parse(gunzipSync(Buffer.from(Buffer.from(data.release, "base64").toString(), "base64")).toString()) as Revision;

/** All revisions of one release as the embedded cluster keeps them; `known` is what is there already, which knows the chart's address. */
export function releaseOf(revisions: Revision[], known: ReleaseState | undefined): ReleaseState {
  const all = revisions.sort((a, b) => a.version - b.version);
  const last = all.at(-1)!;
  const { name, version } = last.chart.metadata;
  const history = all.map((one) => ({
    revision: one.version,
    updated: Date.parse(one.info.last_deployed),
    status: one.info.status,
    version: one.chart.metadata.version,
    description: one.info.description,
  }));
  return {
    name: last.name,
    namespace: last.namespace,
    revision: last.version,
    status: last.info.status,
    chart: name,
    version,
    url: known && chartName(known.url) === name ? known.url : name,
    values: last.config ?? {},
    updated: history.at(-1)!.updated,
    history,
  };
}

/** The Secret of a revision that a controller made. */
export function secretOf(release: ReleaseState, at: ReleaseState["history"][number]): KubeObject {
  const { name, namespace, values } = release;
  const first = new Date(release.history[0]!.updated).toISOString();
  const objects = objectsOf({ ...release, version: at.version }).filter(({ kind }) => kind !== "CustomResourceDefinition");
  return sealed({
    name,
    namespace,
    version: at.revision,
    info: {
      first_deployed: first,
      last_deployed: new Date(at.updated).toISOString(),
      deleted: "",
      description: at.description,
      status: at.status,
    },
    chart: { metadata: { apiVersion: "v2", name: release.chart, version: at.version }, templates: [], values: {}, schema: null, files: [] },
    config: values,
    manifest: objects.map((object) => `---\n${stringify(object)}`).join(""),
    hooks: [],
    // what helm 4 applies by; an upgrade goes on by the same
    apply_method: "ssa",
  });
}

/** The same Secret with another status. */
export function withStatus(secret: KubeObject, status: string, description: string): KubeObject {
  const revision = revisionOf(secret);
  const { labels, data } = sealed({ ...revision, info: { ...revision.info, status, description } }) as any;
  return { ...secret, metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, ...labels, status } }, data };
}

function sealed(revision: Revision): KubeObject {
  const { name, namespace, version, info } = revision;
  const labels = {
    name,
    owner: "helm",
    status: info.status,
    version: String(version),
    modifiedAt: String(Math.floor(Date.parse(info.last_deployed) / 1000)),
  };
  const release = Buffer.from(gzipSync(JSON.stringify(revision)).toString("base64")).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: nameOfSecret(name, version), namespace, labels },
    type: TYPE,
    data: { release },
  };
}
