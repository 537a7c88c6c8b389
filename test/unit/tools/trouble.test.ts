// What Go says when a build fails, as Go 1.26 said it, becomes one line.
import { expect, test } from "vitest";
import { troubleOf } from "../../tools/trouble.ts";

const DOWNLOADING = "go: downloading rsc.io/quote v1.5.2\n";
const FULL = "the disk is full: free some space (Go's own cache: `go clean -cache`)";

test.each([
  [
    "a module that the proxy does not have",
    `${DOWNLOADING}rsc.io/quote@v1.5.99: reading https://proxy.golang.org/rsc.io/quote/@v/v1.5.99.zip: 403 Forbidden\n\tserver response: This module version is not available.\n`,
    "rsc.io/quote@v1.5.99 cannot be had from the module proxy (GOPROXY): 403 Forbidden",
  ],
  [
    "a module that no proxy knows",
    "go: example.com/none@v1.0.0: reading https://proxy.golang.org/example.com/none/@v/v1.0.0.mod: 404 Not Found\n\tserver response: not found\n",
    "example.com/none@v1.0.0 cannot be had from the module proxy (GOPROXY): 404 Not Found",
  ],
  [
    "a module of a tag that is gone",
    "go: github.com/x/y@v9.9.9: invalid version: unknown revision v9.9.9\n",
    "github.com/x/y@v9.9.9 cannot be had from the module proxy (GOPROXY): unknown revision",
  ],
  [
    "another module than the one that go.sum has",
    `${DOWNLOADING}verifying rsc.io/quote@v1.5.2: checksum mismatch\n\tdownloaded: h1:w5f=\n\tgo.sum:     h1:Z5f=\n\nSECURITY ERROR\nThis download does NOT match an earlier download recorded in go.sum.\n`,
    "rsc.io/quote@v1.5.2 is not what go.sum says: the module proxy (GOPROXY) delivered something else",
  ],
  [
    "another go.mod than the one that go.sum has",
    "go: verifying rsc.io/quote@v1.5.2/go.mod: checksum mismatch\n",
    "rsc.io/quote@v1.5.2 is not what go.sum says: the module proxy (GOPROXY) delivered something else",
  ],
  [
    "a go.sum that lacks a package's module",
    "missing go.sum entry for module providing package rsc.io/quote; to add:\n\tgo mod download rsc.io/quote\n",
    "its go.sum has no entry for rsc.io/quote",
  ],
  [
    "a go.mod that was not tidied",
    "go: updates to go.mod needed; to update it:\n\tgo mod tidy\n",
    "its go.mod is incomplete: `go mod tidy` in its folder",
  ],
  [
    "a proxy that does not listen",
    `${DOWNLOADING}rsc.io/quote@v1.5.2: Get "http://127.0.0.1:1/rsc.io/quote/@v/v1.5.2.zip": dial tcp 127.0.0.1:1: connect: connection refused\n`,
    "the module proxy (GOPROXY) cannot be reached: connection refused",
  ],
  [
    "no name service",
    `rsc.io/quote@v1.5.2: Get "https://nowhere.invalid/rsc.io/quote/@v/v1.5.2.zip": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host\n`,
    "the module proxy (GOPROXY) cannot be reached: no such host",
  ],
  [
    "no proxy allowed",
    `${DOWNLOADING}module lookup disabled by GOPROXY=off\n`,
    "its modules are not here, and GOPROXY=off forbids to fetch them",
  ],
  ["an old Go", "go: go.mod requires go >= 1.99.0 (running go 1.26.8; GOTOOLCHAIN=local)\n", "it needs Go 1.99.0 or newer"],
  [
    "a compiler that was killed",
    "github.com/big/package: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed\n",
    "the compiler was killed, as happens when memory runs out",
  ],
  [
    "a compile error",
    "# example.com/x\n./main.go:3:1: syntax error: non-declaration statement outside function body\n",
    "./main.go:3:1: syntax error: non-declaration statement outside function body",
  ],
  ["silence", "", "go build failed and said nothing"],
])("%s", (_name, stderr, line) => expect(troubleOf(stderr)).toEqual({ line }));

test.each([
  ["the linker", "# example.com/x\n/usr/local/go/pkg/tool/linux_amd64/link: mapping output file failed: no space left on device\n"],
  [
    "Go's build cache, which makes packages seem missing",
    "/go/src/fmt/print.go:11:2: package reflect is not in std (/go/src/reflect)\n/go/src/a.go:1:2: write /c/07/0763-d: no space left on device\n",
  ],
  [
    "Go's module cache, which makes modules seem to be missing",
    'x.io/y@v0.8.0: read "https://proxy/x.io/y/@v/v0.8.0.zip": write /c/v0.8.0.zip1.tmp: no space left on device\n',
  ],
])("a disk that is full for %s concerns every tool", (_name, stderr) =>
  expect(troubleOf(stderr)).toEqual({ line: FULL, everywhere: true }),
);

test("a quota that is used up concerns every tool", () =>
  expect(troubleOf("open /c/x: disk quota exceeded\n")).toEqual({
    line: "the disk quota is used up: free some space (Go's own cache: `go clean -cache`)",
    everywhere: true,
  }));
