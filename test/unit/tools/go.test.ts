// The Go of this machine: missing, too old, good; and what of the person's settings it is called without.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { goEnvironment, goHere, isNewEnough, OLDEST_GO } from "../../tools/go.ts";
import { readTable } from "../../tools/table.ts";

const HINT = `install Go ${OLDEST_GO} or newer (https://go.dev/dl, or \`mise use -g go\`), or set REAL_TOOLS to a folder that has the tools`;

test("no Go is one line that says what to do", () => expect(() => goHere({}, () => undefined)).toThrow(`Go is not installed: ${HINT}`));
test("an old Go is one line that says what to do", () =>
  expect(() => goHere({}, () => "go1.25.9\nlinux\namd64\n")).toThrow(`go1.25.9 is too old: ${HINT}`));
test("a Go that says nothing is no Go", () => expect(() => goHere({}, () => "\n")).toThrow(`this Go is too old: ${HINT}`));
test("a good Go is told with its platform", () => expect(goHere({}, () => "go1.26.8\nlinux\namd64\n")).toBe("go1.26.8 linux amd64"));

test.each([
  ["go1.26.6", true],
  ["go1.26.8", true],
  ["go1.26.10", true],
  ["go1.27rc1", true],
  ["go1.27.0 X:nodwarf5", true],
  ["go2.0", true],
  ["devel go1.28-abcdef", true],
  ["go1.26.5", false],
  ["go1.26", false],
  ["go1.9.7", false],
  ["", false],
])("%s is new enough: %s", (version, enough) => expect(isNewEnough(version)).toBe(enough));

test("the oldest Go is the one that the most demanding module asks for", () => {
  const asked = readTable(process.cwd()).map(({ folder }) => /^go (\S+)$/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))![1]!);
  expect(asked.filter((version) => !isNewEnough(`go${version}`) || version === OLDEST_GO)).toContain(OLDEST_GO);
  expect(asked.filter((version) => isNewEnough(`go${version}`) && version !== OLDEST_GO)).toEqual([]);
});

test("a person's settings do not change what is built, those of the way to the modules count", () =>
  expect(goEnvironment({ GOFLAGS: "-mod=mod", GOTOOLCHAIN: "auto", GOWORK: "/w", CGO_ENABLED: "1", GOPROXY: "https://mine" })).toEqual({
    GOFLAGS: "-mod=readonly -trimpath -buildvcs=false",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
    GOPROXY: "https://mine",
  }));
