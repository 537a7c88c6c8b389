// A stub chart as the OCI artifact that `helm push` would make of it. The same chart always has the same bytes, and so the same digest.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";
import { chartFiles, metadataOf } from "./files.ts";

export interface Artifact {
  /** Of the manifest: what a tag points to, and what Flux reports. */
  digest: string;
  manifest: Buffer;
  /** By digest: config and chart. */
  blobs: Map<string, Buffer>;
}

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json";
const CHART_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

const made = new Map<string, Artifact>();

/** The chart at `oci://host/repository` in this version. */
export function artifactOf(url: string, version: string): Artifact {
  const key = `${url}:${version}`;
  let artifact = made.get(key);
  if (!artifact) made.set(key, (artifact = build(url, version)));
  return artifact;
}

function build(url: string, version: string): Artifact {
  const metadata = metadataOf(url, version);
  const blobs = new Map<string, Buffer>();
  const descriptor = (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor(CONFIG_TYPE, Buffer.from(JSON.stringify(metadata))),
      layers: [descriptor(CHART_TYPE, archive(metadata.name, chartFiles(url, version)))],
      annotations: { "org.opencontainers.image.title": metadata.name, "org.opencontainers.image.version": version },
    }),
  );
  return { digest: digestOf(manifest), manifest, blobs };
}

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Without times and owners, and stored rather than compressed: no zlib of any Node can change a digest. */
function archive(folder: string, files: Record<string, string>): Buffer {
  const entries = Object.entries(files).map(([path, data]) => ({ name: `${folder}/${path}`, data }));
  return gzipSync(createTar(entries, { attrs: { mtime: 0, uid: 0, gid: 0, mode: "644" } }), { level: 0 });
}
