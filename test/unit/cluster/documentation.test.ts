// docs/configuration.md: its examples are read, its messages are real ones, and its tables name what there is.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ITEM_NAMES } from "../../../scripts/lib/cluster/cluster.ts";
import { readCluster } from "../../../scripts/lib/cluster/load.ts";
import { readVersions } from "../../../scripts/lib/cluster/versions.ts";
import { clusterSchema } from "../../../scripts/lint/cluster-schema.ts";
import { clusterCases } from "./cases.ts";

const page = readFileSync("docs/configuration.md", "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text!);
const [least = "", ...parts] = blocks("yaml");
const home = () => parse(least) as Record<string, unknown>;
const read = (written: Record<string, unknown>) =>
  readCluster(JSON.stringify(written), (line) => expect(line).toMatch(/vsphere is not supported yet/));

test("the least that a home must say is enough", () => expect(readCluster(least, () => {}).nodes).toHaveLength(1));
test("and nothing of it can be left out", () => {
  const needed = Object.keys(home()).filter((key) => {
    const { [key]: _, ...rest } = home();
    try {
      read(rest);
      return false;
    } catch {
      return true;
    }
  });
  expect(needed).toEqual(Object.keys(home()));
});
test.each(parts)("an example fits into it: %s", (part) => {
  const example = parse(part) as Record<string, unknown>;
  const nodes = (example.nodes as object[] | undefined)?.map((node) => ({ ...node, address: "192.168.1.10" }));
  expect(read({ ...home(), ...example, ...(nodes && { nodes }) }).name).toBe("home");
});
test("the items are all of them, by their names", () =>
  expect(parts.map((part) => (parse(part) as { onepassword?: { items: unknown } }).onepassword?.items).filter(Boolean)).toEqual([
    ITEM_NAMES,
  ]));
test("the versions are good", () => expect(readVersions(blocks("ini")[0]!, {}).wrong).toEqual([]));
test("the messages are ones that the fixtures prove", () => {
  const proved = new Set(clusterCases().flatMap(({ expected }) => expected.split("\n")));
  const shown = blocks("text")[0]!.trim().split("\n");
  expect(shown.filter((line) => !proved.has(line))).toEqual([]);
});
test("the tables name every field, and none that is not there", async () => {
  const named = [...page.matchAll(/^\| `([a-zA-Z.]+)` \|/gm)].map(([, field]) => field!);
  const nodes = ["name", "address", "mac", "labels"];
  const fields = leaves(JSON.parse(await clusterSchema()) as Schema);
  expect(new Set(named)).toEqual(new Set([...fields, ...nodes]));
});

interface Schema {
  properties?: Record<string, Schema>;
}
/** Fields with a table row of their own: those of the first and second level, sections with rows for their parts left out. */
const leaves = ({ properties = {} }: Schema): string[] =>
  Object.entries(properties).flatMap(([key, one]) =>
    one.properties ? Object.keys(one.properties).map((part) => `${key}.${part}`) : key === "nodes" || key === "hypervisor" ? [] : [key],
  );
