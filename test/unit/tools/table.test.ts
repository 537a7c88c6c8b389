// The tools built from source, those that mise installs and those that the modules require are the same, in the same versions.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { type BuiltTool, readTable } from "../../tools/table.ts";
import { loadVersions } from "../../../scripts/lib/cluster/versions.ts";

const table = readTable(process.cwd());
const { notBuilt } = parse(readFileSync("test/tools/tools.yaml", "utf8")) as { notBuilt: Record<string, string> };
const mise = [".mise.toml", ".mise.real.toml"].flatMap((file) => listed(readFileSync(file, "utf8")));

/** Its name in mise's lists; undefined for what mise cannot have. */
const inMise = ({ name, mise = name }: BuiltTool) => (typeof mise === "string" ? mise : undefined);

/** `name = "version"` of the section [tools]. */
function listed(toml: string): [name: string, version: string][] {
  const section = /^\[tools\]\n([^[]*)/m.exec(toml)?.[1] ?? "";
  return [...section.matchAll(/^"?([^"\s=]+)"? = "([^"]+)"$/gm)].map(([, name, version]) => [name!, version!]);
}

test("mise installs every tool that is built, and everything else that it installs has a reason not to be", () =>
  expect(mise.map(([name]) => name).sort()).toEqual([...table.flatMap((tool) => inMise(tool) ?? []), ...Object.keys(notBuilt)].sort()));
test("every reason is stated", () => expect(Object.values(notBuilt).filter((why) => !/\w+ \w+/.test(why))).toEqual([]));

describe.each(table)("$name", (tool) => {
  const versions = Object.fromEntries(mise);
  const modfile = tool.modfile ?? "go.mod";
  const goMod = readFileSync(join(tool.folder, modfile), "utf8");
  test("is built in the version that mise installs, or says why not, and only then", () => {
    const name = inMise(tool);
    const same = name === undefined || `v${versions[name]}` === tool.version;
    expect({ same, differs: tool.differs !== undefined }).toEqual({ same, differs: !same });
  });
  test("has a module that requires this version", () =>
    expect(goMod).toMatch(new RegExp(`^\\s*(require )?${tool.module} ${tool.version}( // indirect)?$`, "m")));
  test("has a module with a tool directive and sums", () => {
    const main = tool.package.replace(/^\./, "homeops.tools");
    expect(goMod).toMatch(new RegExp(`^(tool |\\t)${main}$`, "m"));
    expect(existsSync(join(tool.folder, modfile.replace(/mod$/, "sum")))).toBe(true);
  });
  test("is told its own version when it is linked", () => {
    const told = (tool.ldflags ?? "").match(/\d+\.\d+\.\d+/g) ?? [];
    expect(told.filter((version) => `v${version}` !== tool.version)).toEqual([]);
  });
});

test("kubectl and the API server are those of versions.env, talosctl is that of its Talos, flux that of its Flux", () => {
  const { KUBERNETES_VERSION, TALOS_VERSION, FLUX_VERSION } = loadVersions(process.cwd(), {});
  const built = Object.fromEntries(table.map(({ name, version }) => [name, version]));
  expect(built).toMatchObject({
    kubectl: KUBERNETES_VERSION,
    "kube-apiserver": KUBERNETES_VERSION,
    talosctl: TALOS_VERSION,
    flux: FLUX_VERSION,
  });
});
