// The tools that tests run for real: test/tools/tools.yaml, and where the module of each is.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export interface BuiltTool {
  name: string;
  /** The folder of its Go module. */
  folder: string;
  module: string;
  version: string;
  package: string;
  /** The module file in place of go.mod: programs of one folder over several versions of a module. Its sums stand beside it. */
  modfile?: string;
  ldflags?: string;
  /** A file, inside the module, that the binary embeds and the published module lacks. */
  embeds?: string;
  /** The words by which it says its version. */
  asks?: string[];
  /** Its name in mise's lists, where that is another; or why it is in none. */
  mise?: string | { none: string };
  /** Why its version is another than the one that mise installs. */
  differs?: string;
}

/** The table of `<root>/test/tools/tools.yaml`, in its order, which is the order of building. */
export function readTable(root: string): BuiltTool[] {
  const folder = join(root, "test/tools");
  const { built } = parse(readFileSync(join(folder, "tools.yaml"), "utf8")) as { built: Record<string, Omit<BuiltTool, "name">> };
  return Object.entries(built).map(([name, row]) => ({ ...row, name, folder: join(folder, row.folder ?? name) }));
}
