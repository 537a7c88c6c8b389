// Checks that `npm ci` has installed the packages that package-lock.json lists. Plain JavaScript without imports from node_modules, because tsx is one of these packages.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = [20, 20];

const problem = wrongNode(process.versions.node) ?? wrongPackages(ROOT);
if (problem) {
  if (wantsJson()) process.stdout.write(`${JSON.stringify({ error: { ...problem, state: "nothing was started" } }, null, 2)}\n`);
  process.stderr.write(`${problem.reason}: ${problem.next}\n`);
  process.exit(1);
}

/** What is wrong with this version of Node; undefined when it is new enough. */
function wrongNode(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return undefined;
  return { failed: "start", reason: `Node ${version} is too old`, next: `install Node ${OLDEST_NODE.join(".")} or newer (mise install)` };
}

/** What is wrong with node_modules; undefined when it holds what package-lock.json lists. */
function wrongPackages(root) {
  const found = (reason) => ({ failed: "load the packages", reason, next: "run `npm ci`" });
  const installed = packagesOf(join(root, "node_modules/.package-lock.json")); // npm writes it when an installation is complete
  if (!installed) return found(existsSync(join(root, "node_modules")) ? "node_modules is incomplete" : "node_modules is missing");
  const outdated = outdatedPackages(packagesOf(join(root, "package-lock.json")) ?? {}, installed);
  if (outdated.length === 0) return undefined;
  const [{ name, has, expected }, ...more] = outdated;
  const first = `${name} is ${has ?? "missing"}, package-lock.json has ${expected}`;
  return found(`node_modules is out of date (${first}${more.length > 0 ? `, and ${more.length} more` : ""})`);
}

/** The packages that are missing or have another version. Optional ones may be missing, and development ones where none was installed. */
function outdatedPackages(listed, installed) {
  const withoutDev = !Object.values(installed).some(({ dev }) => dev);
  return Object.entries(listed).flatMap(([path, { version, optional, devOptional, dev }]) => {
    const has = installed[path]?.version;
    const mayBeMissing = optional || devOptional || (dev && withoutDev);
    if (path === "" || has === version || (has === undefined && mayBeMissing)) return [];
    return [{ name: path.replace(/^.*node_modules\//, ""), has, expected: version }];
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined; // a lockfile with conflict markers is npm's to report
    throw error;
  }
}

/** Whether the caller reads one JSON document from stdout. */
function wantsJson() {
  const words = process.argv.slice(2).join(" ");
  return /--output[ =]json\b/.test(words) || process.env.ARG_OUTPUT === "json" || process.env.OUTPUT === "json";
}
