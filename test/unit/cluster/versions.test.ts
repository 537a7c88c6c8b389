// versions.env: the environment wins, and a pair that does not fit is refused by line.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadVersions, readVersions } from "../../../scripts/lib/cluster/versions.ts";
import { testVersions } from "../test-cluster.ts";

const GOOD = "# renovate: x\nTALOS_VERSION=v1.13.9\nKUBERNETES_VERSION='v1.36.5' # quoted\nFLUX_VERSION=\"v2.9.4\"\n";
const wrong = (text: string, env = {}) => readVersions(text, env).wrong;

test("comments and quotes are no part of a value", () =>
  expect(readVersions(GOOD, {})).toEqual({ versions: testVersions, wrong: [], odd: [] }));
test("a # without a space before it does not begin a comment", () =>
  expect(readVersions(`${GOOD}OTHER=1#2\n`, {}).wrong).toEqual(['versions.env:5: "OTHER=1#2" is not NAME=value (no spaces around =)']));
test.each([
  ["TALOS_VERSON=v1.13.8", "TALOS_VERSON: is unknown (did you mean TALOS_VERSION?)"],
  ["KUBERNETES=v1.36.5", "KUBERNETES: is unknown (valid: TALOS_VERSION, KUBERNETES_VERSION, FLUX_VERSION)"],
  ["talos_version=v1.13.8", "talos_version: is unknown (did you mean TALOS_VERSION?)"],
  ["CILIUM_VERSION=v1.19.0", "CILIUM_VERSION: is unknown (valid: TALOS_VERSION, KUBERNETES_VERSION, FLUX_VERSION)"],
])("the unknown name in %s is refused", (line, message) => expect(wrong(`${GOOD}${line}\n`)).toEqual([`versions.env:5: ${message}`]));
test("a misspelt name is reported once, not as a missing one too", () =>
  expect(wrong(GOOD.replace("TALOS_VERSION", "TALOS_VERSON"))).toEqual([
    "versions.env:2: TALOS_VERSON: is unknown (did you mean TALOS_VERSION?)",
  ]));
test("a misspelt name in the environment is reported, and a name of another program is not", () =>
  expect(readVersions(GOOD, { TALOS_VERSON: "v1.13.8", NODE_VERSION: "24", HELM_VERSION: "4", FLUX_VERSIONS: "" }).odd).toEqual([
    "environment: TALOS_VERSON: is ignored (did you mean TALOS_VERSION?)",
  ]));
test("lines may end as on Windows", () => expect(readVersions(GOOD.replaceAll("\n", "\r\n"), {}).versions).toEqual(testVersions));
test("the environment wins, for names that the file has", () =>
  expect(readVersions(GOOD, { TALOS_VERSION: "v1.13.8", OTHER: "x" }).versions).toEqual({ ...testVersions, TALOS_VERSION: "v1.13.8" }));
test("an empty variable of the environment does not", () =>
  expect(readVersions(GOOD, { TALOS_VERSION: "" }).versions.TALOS_VERSION).toBe("v1.13.9"));
test("the environment gives what the file leaves out", () =>
  expect(readVersions(GOOD.replace(/FLUX.*/, ""), { FLUX_VERSION: "v2.9.4" })).toEqual({ versions: testVersions, wrong: [], odd: [] }));

test.each([
  ["v1.11.0", "v1.29.0", "v1.34.9"],
  ["v1.12.3", "v1.30.0", "v1.35.8"],
  ["v1.13.9", "v1.31.0", "v1.36.5"],
  ["v1.14.0-rc.1", "v1.32.0", "v1.37.2"],
])("Talos %s supports Kubernetes %s to %s, and no minor below or above", (talos, lowest, highest) => {
  const refused = (kubernetes: string) => wrong(GOOD.replace("v1.13.9", talos).replace("v1.36.5", kubernetes));
  const minor = (version: string, by: number) => `v1.${Number(version.split(".")[1]) + by}.0`;
  expect([...refused(lowest), ...refused(highest)]).toEqual([]);
  for (const other of [minor(lowest, -1), minor(highest, 1), "v2.0.0"])
    expect(refused(other)).toEqual([
      `versions.env:3: KUBERNETES_VERSION: Talos ${talos} does not support Kubernetes ${other} (it supports ${minor(lowest, 0).slice(0, -2)} to ${minor(highest, 0).slice(0, -2)})`,
    ]);
});
test("Talos 1.11 is read and reported, since only deploying it is refused", () =>
  expect(readVersions(GOOD.replace("v1.13.9", "v1.11.6").replace("v1.36.5", "v1.34.1"), {})).toMatchObject({
    wrong: [],
    odd: ["versions.env:2: TALOS_VERSION: Talos v1.11.6 can be read but not deployed (v1.12 or newer can)"],
  }));
test("a pair that the environment brought together is blamed on the variable of the environment", () => {
  const message = "Talos v1.12.4 does not support Kubernetes v1.36.5 (it supports v1.30 to v1.35)";
  expect(wrong(GOOD, { TALOS_VERSION: "v1.12.4" })).toEqual([`environment: TALOS_VERSION: ${message}`]);
  expect(wrong(GOOD.replace("v1.36.5", "v1.35.0"), { TALOS_VERSION: "v1.12.4", KUBERNETES_VERSION: "v1.36.5" })).toEqual([
    `environment: KUBERNETES_VERSION: ${message}`,
  ]);
});
test("a malformed version from the environment is blamed on the variable of the environment", () =>
  expect(wrong(GOOD, { TALOS_VERSION: "1.13.9" })).toEqual(['environment: TALOS_VERSION: "1.13.9" is not a version (write v1.13.9)']));
test("a version that the environment replaces is reported with the one of the file", () =>
  expect(readVersions(GOOD, { TALOS_VERSION: "v1.13.8" }).odd).toEqual([
    "environment: TALOS_VERSION: v1.13.8 is used instead of v1.13.9 (versions.env:2)",
  ]));
test("what the environment brings is told as the environment's", () =>
  expect(wrong(GOOD, { KUBERNETES_VERSION: "v1.30.0" })).toEqual([
    "environment: KUBERNETES_VERSION: Talos v1.13.9 does not support Kubernetes v1.30.0 (it supports v1.31 to v1.36)",
  ]));
test("an environment that says what the file says is the file", () =>
  expect(wrong(GOOD.replace("v1.36.5", "v1.99.0"), { KUBERNETES_VERSION: "v1.99.0" })[0]).toMatch(/^versions\.env:3: /));
test("a Talos newer than the table is taken at its word, with a warning", () =>
  expect(readVersions(GOOD.replace("v1.13.9", "v1.15.0"), {})).toMatchObject({
    wrong: [],
    odd: [
      "versions.env:2: TALOS_VERSION: Talos v1.15.0 is newer than this project knows: whether it supports Kubernetes v1.36.5 is not checked",
    ],
  }));
test("a Talos older than the table is refused", () =>
  expect(wrong(GOOD.replace("v1.13.9", "v1.10.4"))).toEqual([
    "versions.env:2: TALOS_VERSION: Talos v1.10.4 is older than this project supports (v1.11 or newer)",
  ]));
test("everything wrong is told at once, in the order of the file", () =>
  expect(wrong("TALOS_VERSION=1.13.9\nwhat is this\nTALOS_VERSION=v1.13.9\nKUBERNETES_VERSION=v1.36\nEMPTY =\n")).toEqual([
    "versions.env: FLUX_VERSION: is missing (a line FLUX_VERSION=v2.9.4)",
    'versions.env:1: TALOS_VERSION: "1.13.9" is not a version (write v1.13.9)',
    'versions.env:2: "what is this" is not NAME=value (no spaces around =)',
    "versions.env:3: TALOS_VERSION: is already set in line 1 (remove one)",
    'versions.env:4: KUBERNETES_VERSION: "v1.36" is not a version (write it as v1.36.5)',
    'versions.env:5: "EMPTY =" is not NAME=value (no spaces around =)',
  ]));

test("without the file, it says how to go on", () => {
  const folder = mkdtempSync(join(tmpdir(), "home-"));
  try {
    expect(() => loadVersions(folder, {})).toThrow(
      "versions.env: does not exist (start from the project's folder, or bring it back with `git restore versions.env`)",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
test("the repository's own file is good, and Renovate knows every line of it", () => {
  const known = Object.keys(loadVersions(process.cwd(), {}));
  expect(readFileSync("versions.env", "utf8").match(/^# renovate: datasource=\S+ depName=\S+.*\n[A-Z_]+=/gm)).toHaveLength(known.length);
});
test("warnings reach the caller", () => {
  const told: string[] = [];
  loadVersions(process.cwd(), { TALOS_VERSION: "v1.99.0" }, (line) => told.push(line));
  expect(told).toEqual([
    expect.stringMatching(/^environment: TALOS_VERSION: v1\.99\.0 is used instead of /),
    expect.stringMatching(/^environment: TALOS_VERSION: Talos v1\.99\.0 is newer/),
  ]);
});
