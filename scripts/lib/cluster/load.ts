// Reads talos/cluster.yaml; everything that is wrong is reported at once, each with file, line, field and a hint.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Versions } from "../versions.ts";
import { canonicalMac, checkHome, type Finding, type Path, type Read, vmName, warnings } from "./checks.ts";
import { type Cluster, ITEM_KEYS, type ItemKey } from "./cluster.ts";
import { bytesOf, definition, ITEM_NAMES, type Written } from "./schema.ts";

const FILE = "talos/cluster.yaml";

/** Reads and checks `<root>/talos/cluster.yaml`; throws one UsageError with everything that is wrong; warnings go to `warn`. */
export function loadCluster(root: string, _versions: Versions, warn: (line: string) => void): Cluster {
  let text: string;
  try {
    text = readFileSync(join(root, FILE), "utf8");
  } catch (error) {
    throw new UsageError(`${FILE}: cannot be read: ${(error as Error).message} (it comes with the repository: git checkout ${FILE})`);
  }
  return readCluster(text, warn);
}

/** The same from a text. */
export function readCluster(text: string, warn: (line: string) => void): Cluster {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length) {
    throw new UsageError(
      document.errors
        .map(
          ({ message, linePos }) =>
            `${FILE}:${linePos?.[0].line ?? 1}: is no YAML: ${message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "")}`,
        )
        .join("\n"),
    );
  }
  const value: unknown = document.toJS();
  if (value === null || value === undefined)
    throw new UsageError(`${FILE}:1: is empty (it comes with the repository: git checkout ${FILE})`);
  const parsed = definition.safeParse(value);
  const single = parsed.success ? [] : parsed.error.issues.flatMap((issue) => inWords(issue, value));
  const read = readerOf(parsed.data ?? value, single);
  const found = [...single, ...checkHome(read)];
  if (found.length) throw new UsageError(tell(found, document, lines));
  const home = parsed.data!;
  for (const finding of warnings(read)) warn(tell([finding], document, lines));
  return clusterOf(home);
}

/** Reads values that no finding is about, neither about themselves nor about what they are part of; a part of theirs may be wrong. */
function readerOf(value: unknown, found: Finding[]): Read {
  const wrong = new Set(found.map(({ path }) => path.join("\0")));
  return <T>(...path: Path) => {
    const spoilt = path.some((_, depth) => wrong.has(path.slice(0, depth + 1).join("\0")));
    return (spoilt ? undefined : valueAt(value, path)) as T | undefined;
  };
}

const valueAt = (value: unknown, path: Path) =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], value);

/** `file:line: field: what is wrong`, in the order of the lines. */
const tell = (found: Finding[], document: Document, lines: LineCounter) =>
  found
    .map(({ path, message }) => ({ line: lineOf(path, document, lines), text: `${fieldOf(path)}${message}` }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, text }) => `${FILE}:${line}: ${text}`)
    .join("\n");

const fieldOf = (path: Finding["path"]) =>
  path.length ? `${path.map((key, index) => (typeof key === "number" ? `[${key}]` : index ? `.${key}` : key)).join("")}: ` : "";

/** The line of the value, or of the nearest part above it that is there. */
function lineOf(path: Finding["path"], document: Document, lines: LineCounter): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
    const key = keyOf(document, path.slice(0, depth));
    const start = key ?? node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

/** Where a map's key stands: the value of a map or list begins a line later. */
function keyOf(document: Document, path: Finding["path"]): number | undefined {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const items = (parent as { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] } | null)?.items ?? [];
  return items.find((item) => item?.key?.value === path.at(-1))?.key?.range?.[0];
}

/** zod's findings in our words. */
function inWords(issue: z.core.$ZodIssue, value: unknown): Finding[] {
  const path = issue.path as Finding["path"];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const close = nearest(key, keysAt(path));
      return {
        path: [...path, key],
        message: `is unknown${close ? ` (did you mean ${close}?)` : ` (known here: ${keysAt(path).join(", ")})`}`,
      };
    });
  }
  if (issue.code === "invalid_key") return [{ path, message: `${issue.issues[0]?.message ?? "is no valid name"}` }];
  const has = valueAt(value, path);
  if (has === undefined) return [{ path, message: "is missing" }];
  if (issue.code === "invalid_type")
    return [
      {
        path,
        message: /^(is|has) /.test(issue.message)
          ? `${shown(has)} ${issue.message}`
          : `${shown(has)} is no ${KINDS[issue.expected] ?? issue.expected}`,
      },
    ];
  if (issue.code === "too_small" && Array.isArray(has)) return [{ path, message: issue.message }];
  return [{ path, message: `${shown(has)} ${issue.message}` }];
}

const KINDS: Record<string, string> = { string: "text", object: "section", array: "list", record: "section" };
const shown = (has: unknown) =>
  typeof has === "object" ? (Array.isArray(has) ? "a list" : has === null ? "nothing" : "a section") : JSON.stringify(has);

/** The keys that the definition knows at a path. */
function keysAt(path: Finding["path"]): string[] {
  let at = definition as unknown as { _zod: { def: { type: string; shape?: Record<string, never>; innerType?: never; element?: never } } };
  const bare = () => {
    while (at._zod.def.innerType) at = at._zod.def.innerType;
  };
  for (const key of path) {
    bare();
    at = (typeof key === "number" ? at._zod.def.element : at._zod.def.shape?.[key])!;
    if (!at) return [];
  }
  bare();
  return Object.keys(at._zod.def.shape ?? {});
}

function clusterOf(home: Written): Cluster {
  const { hostname, port } = new URL(home.endpoint);
  const { registry, enabled } = home.network.discovery;
  const none = { pool: "", vmDataset: "", isoDataset: "", bridge: "" };
  return {
    name: home.name,
    domain: home.domain,
    timezone: home.timezone,
    endpoint: { url: home.endpoint, address: hostname, port: Number(port || 443) },
    network: { ...home.network, discovery: { enabled, ...(registry !== undefined && { registry }) } },
    nodes: home.nodes.map(({ name, address, mac, labels }) => ({ name, vm: vmName(name), address, mac: canonicalMac(mac), labels })),
    hypervisor: home.hypervisor,
    truenas: home.truenas ?? none,
    vsphere: home.vsphere ?? { datastore: "", isoDatastore: "", network: "" },
    vm: {
      cpus: home.vm.cpus,
      memory: bytesOf(home.vm.memory)!,
      bootDisk: bytesOf(home.vm.bootDisk)!,
      dataDisk: bytesOf(home.vm.dataDisk)!,
    },
    onepassword: {
      vault: home.onepassword.vault,
      items: Object.fromEntries(ITEM_KEYS.map((key) => [key, home.onepassword.items[key] ?? ITEM_NAMES[key]])) as Record<ItemKey, string>,
    },
    git: home.git,
    nas: home.nas,
    unifi: home.unifi ?? { address: "" },
  };
}
