// What two tools must agree on: the exit code, what they print for machines, and what kind of error it is. Not times, not generated ids.
import { parseAllDocuments } from "yaml";

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Facts that differ between any two runs of one tool. */
const VOLATILE = new Set([
  "uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "created", "updated", "lastTransitionTime", "lastUpdateTime",
  "lastHeartbeatTime", "observedGeneration", "deployed_at", "sha", "goVersion", "built",
  // of a release as Helm stored it, times included
  "digest", "configDigest",
]); // prettier-ignore

/** Certificates and keys that a tool makes anew each time: that they are there is what can be compared. */
const NEW_EACH_TIME = /^(client-certificate-data|client-key-data)$/;
const MAKES_SECRETS = /gen (secrets|config)/;
/** The stand-in renders definitions without their schemas: they are megabytes that the product does not read (test/conformance/registry/helmfile.test.ts). */
const RENDERS_CHARTS = /^helmfile .*\btemplate\b/;

/** What an outcome of this line comes to; two that are alike are deep-equal. */
export const comparable = (line: string, outcome: Outcome) => ({
  code: outcome.code,
  stdout: MAKES_SECRETS.test(line)
    ? shapeOf(dataOf(outcome.stdout))
    : RENDERS_CHARTS.test(line)
      ? withoutSchemas(dataOf(outcome.stdout))
      : nothingOr(outcome),
  error: outcome.code === 0 ? undefined : classOf(outcome.stderr),
});

/** kubectl that gets no further prints an empty list first if it has looked up the kind before, in its cache: chance, and nothing that anyone reads. */
const nothingOr = ({ code, stdout }: Outcome) => (code !== 0 && /"items": \[\]/.test(stdout) ? [""] : dataOf(stdout));

/** Rendered objects; of a definition only what names it. */
export const withoutSchemas = (rendered: unknown): unknown =>
  Array.isArray(rendered)
    ? rendered.map((object) =>
        object?.kind === "CustomResourceDefinition"
          ? {
              ...object,
              spec: { ...object.spec, versions: object.spec.versions.map(({ name, served, storage }: any) => ({ name, served, storage })) },
            }
          : object,
      )
    : rendered;

/** JSON and YAML as data, tables as their words, the rest as its lines. */
export function dataOf(text: string): unknown {
  const trimmed = text.trim();
  if (/^[{[]/.test(trimmed)) {
    const stream = jsonStream(trimmed);
    if (stream) return stream.map(steady);
  }
  if (/^(---|apiVersion:|version: v1alpha1|cluster:|context:|certs:)/.test(trimmed)) {
    const documents = parseAllDocuments(trimmed);
    if (Array.isArray(documents) && documents.every(({ errors }) => errors.length === 0)) return documents.map((one) => steady(one.toJS()));
  }
  return trimmed.split("\n").map((line) => masked(line.trim().replaceAll(/\s{2,}|\t+/g, "  ")));
}

function jsonStream(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)];
  } catch {
    try {
      return text.split(/(?<=^[}\]])\n/m).map((part) => JSON.parse(part) as unknown);
    } catch {
      return undefined;
    }
  }
}

function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value === "string") return masked(value);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !VOLATILE.has(key))
      .map(([key, inner]) => [key, NEW_EACH_TIME.test(key) ? shapeOf(inner) : steady(inner)]),
  );
}

/** Which fields there are, and what kind of value each has. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (value === null || typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

/** Times, durations and generated names in the middle of a text. */
export const masked = (text: string) =>
  text
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+( ?\+\d{4}( UTC)?|Z)?/g, "<time>")
    .replaceAll(/\b(\d+(\.\d+)?(ms|s|m|h))+\b/g, "<duration>")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "<id>")
    .replaceAll(/\bgo1\.\d+\.\d+\b/g, "<Go>")
    .replaceAll(/^SHA: .*$/gm, "SHA: <commit>")
    .replaceAll(/\+g[0-9a-f]{7}\b/g, "") // a released build names its commit, one from the module does not
    .replaceAll(/\/tmp\/\S*?(?=[\s":]|$)/g, "<path>");

/** The kind of an error, from the most telling sign in it. */
export function classOf(stderr: string): string {
  const grpc = [...stderr.matchAll(/code = (\w+)/g)].at(-1)?.[1];
  if (/certificate signed by unknown authority/.test(stderr)) return "unknown authority";
  if (/tls: certificate required/.test(stderr)) return "certificate required";
  if (grpc) return `gRPC ${grpc}`;
  const status = /Error from server \((\w+)\)/.exec(stderr)?.[1];
  if (status) return `API ${status}`;
  if (/refused|no route to host|unreachable|EOF|connection reset|Unable to connect/.test(stderr)) return "not reached";
  if (/release: not found/i.test(stderr)) return "no such release";
  if (/no matches for kind/.test(stderr)) return "no such kind";
  if (/doesn't have a resource type/.test(stderr)) return "no such type";
  return masked(
    stderr
      .trim()
      .split("\n")
      .find((line) => !/^[IWE]\d{4} /.test(line)) ?? "",
  );
}
