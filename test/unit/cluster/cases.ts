// The bad forms of talos/cluster.yaml: one file each, with what differs from base.yaml and the messages that it must get.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch } from "diff";

const FOLDER = "test/fixtures/cluster";

export interface ClusterCase {
  name: string;
  /** The whole talos/cluster.yaml. */
  text: string;
  /** The messages, a line each. */
  expected: string;
}

/** Every case, in the order of the names. */
export const clusterCases = (): ClusterCase[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".txtar"))
    .sort()
    .map((file) => clusterCase(file.replace(/\.txtar$/, "")));

/** Reads test/fixtures/cluster/<name>.txtar: `-- patch --` holds a unified diff of base.yaml, or `-- file --` the whole text; then `-- expected --`. */
export function clusterCase(name: string): ClusterCase {
  const content = readFileSync(join(FOLDER, `${name}.txtar`), "utf8");
  const match = /^-- (patch|file) --\n([^]*?)^-- expected --\n([^]+)$/m.exec(content);
  if (!match) throw new Error(`${name}.txtar needs "-- patch --" or "-- file --", then "-- expected --"`);
  const [, form, body, expected] = match as unknown as [string, "patch" | "file", string, string];
  const text = form === "file" ? body : applyPatch(readFileSync(join(FOLDER, "base.yaml"), "utf8"), body);
  if (text === false) throw new Error(`${name}.txtar does not apply to base.yaml`);
  return { name, text, expected };
}
