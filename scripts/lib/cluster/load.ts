// Reads talos/cluster.yaml and reports all problems at once, with file, line, field and a hint.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numberOf, textOf } from "./address.ts";
import { UsageError } from "../run/errors.ts";
import { checkHome, warnings } from "./checks.ts";
import { type Cluster, ITEM_KEYS, type ItemKey } from "./cluster.ts";
import { type Finding, type Path, type Read, tell } from "./findings.ts";
import { readYaml } from "./locate.ts";
import { vmName } from "./node-names.ts";
import { readEndpoint, readMac, type Reading, readSize } from "./readings.ts";
import { definition, type Written } from "./schema.ts";
import { defaultAt, inWords, valueAt } from "./wording.ts";

const FILE = "talos/cluster.yaml";
const RESTORE = `bring back the reference home's with \`git restore ${FILE}\`, edit it, then run \`task secrets:init\``;

/** Reads and checks `<root>/talos/cluster.yaml`; throws one UsageError with all problems; warnings go to `warn`. */
export function loadCluster(root: string, warn: (line: string) => void): Cluster {
  let text: string;
  try {
    text = readFileSync(join(root, FILE), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "ENOENT" ? `${FILE}: does not exist (${RESTORE})` : `${FILE}: cannot be read: ${message}`);
  }
  return readCluster(text, warn);
}

/** The same from a text. */
export function readCluster(text: string, warn: (line: string) => void): Cluster {
  const { value, broken, complaints, lineOf, typedAt } = readYaml(text);
  if (broken) throw new UsageError(tell(FILE, [], lineOf, complaints).join("\n"));
  if (value === null) throw new UsageError(`${FILE}:1: is empty (${RESTORE})`);
  const parsed = definition.safeParse(value);
  const single = parsed.success ? [] : parsed.error.issues.flatMap((issue) => inWords(issue, value, typedAt));
  const read = readerOf(value, single);
  for (const line of tell(FILE, warnings(read), lineOf)) warn(line);
  const found = [...single, ...checkHome(read)];
  if (found.length || complaints.length || !parsed.success) throw new UsageError(tell(FILE, found, lineOf, complaints).join("\n"));
  return clusterOf(parsed.data);
}

/** Reads values, or their defaults, that no finding is about, neither about themselves nor about what they are part of; a part of theirs may be wrong. */
function readerOf(value: unknown, found: Finding[]): Read {
  const wrong = new Set(found.map(({ path }) => path.join("\0")));
  return <T>(...path: Path) => {
    const spoilt = path.some((_, depth) => wrong.has(path.slice(0, depth + 1).join("\0")));
    return (spoilt ? undefined : (valueAt(value, path) ?? defaultAt(path))) as T | undefined;
  };
}

/** The home as procedures know it; everything in it was found good. */
function clusterOf({ endpoint, network, nodes, vm, onepassword, truenas, vsphere, unifi, git, ...home }: Written): Cluster {
  const { discovery, bgp, gateways, ...networks } = network;
  const { registry, enabled } = discovery;
  return {
    ...home,
    endpoint: good(readEndpoint(endpoint)),
    network: {
      ...networks,
      gateways: {
        ...gateways,
        internal: gateways.internal ?? textOf(numberOf(gateways.to) - 1),
        external: gateways.external ?? gateways.to,
      },
      discovery: { enabled, ...(registry !== undefined && { registry }) },
      ...(bgp && { bgp }),
    },
    git: { ...git, owner: git.owner ?? new URL(git.url).pathname.split("/")[1] ?? "" },
    nodes: nodes.map(({ name, address, mac, labels }) => ({ name, vm: vmName(name), address, mac: good(readMac(mac)), labels })),
    truenas: truenas ?? { pool: "", vmDataset: "", isoDataset: "", bridge: "" },
    vsphere: vsphere ?? { datastore: "", isoDatastore: "", network: "" },
    vm: { cpus: vm.cpus, memory: good(readSize(vm.memory)), bootDisk: good(readSize(vm.bootDisk)), dataDisk: good(readSize(vm.dataDisk)) },
    onepassword: { ...onepassword, ...itemsOf(onepassword.items) },
    ...(unifi && { unifi }),
  };
}

/** The operator's items, and the names that replace those of kubernetes/. */
function itemsOf(named: Written["onepassword"]["items"]): Pick<Cluster["onepassword"], "items" | "renamed"> {
  const items = Object.fromEntries(ITEM_KEYS.map((key) => [key, named[key]])) as Record<ItemKey, string>;
  const renamed = Object.entries(named).filter(([key]) => !ITEM_KEYS.includes(key as ItemKey)) as [string, string][];
  return { items, ...(renamed.length > 0 && { renamed: Object.fromEntries(renamed) }) };
}

function good<T>(reading: Reading<T>): T {
  if ("wrong" in reading) throw new Error(`a value that the definition let through is wrong: ${reading.wrong}`);
  return reading.value;
}
