// What a failed build was about, in one line: Go's own words are many, and the one that counts is rarely the last.

export interface Trouble {
  line: string;
  /** No other tool can be built either, so none is begun. */
  everywhere?: true;
}

const FULL = "free some space (Go's own cache: `go clean -cache`)";
const MODULE = String.raw`([\w.~/-]+@v[\w.+-]+)`;

/** The kinds of trouble. The most telling comes first: on a full disk modules seem to be missing too. */
const KINDS: [pattern: RegExp, tell: (found: RegExpExecArray) => Trouble][] = [
  [/no space left on device/, () => ({ line: `the disk is full: ${FULL}`, everywhere: true })],
  [/disk quota exceeded/, () => ({ line: `the disk quota is used up: ${FULL}`, everywhere: true })],
  [
    new RegExp(`verifying ${MODULE}(?:/go\\.mod)?: checksum mismatch`),
    ([, module]) => ({ line: `${module} is not what go.sum says: the module proxy (GOPROXY) delivered something else` }),
  ],
  [/missing go\.sum entry for [^\n]*?(\S+\.\S+?)[;:\n]/, ([, what]) => ({ line: `its go.sum has no entry for ${what}` })],
  [/updates to go\.mod needed/, () => ({ line: "its go.mod is incomplete: `go mod tidy` in its folder" })],
  [/requires go >= ([\d.]+)/, ([, version]) => ({ line: `it needs Go ${version} or newer` })],
  [
    new RegExp(`${MODULE}: (?:reading \\S+: |[^\\n]*)(403 Forbidden|404 Not Found|410 Gone|unknown revision|invalid version)`),
    ([, module, why]) => ({ line: `${module} cannot be had from the module proxy (GOPROXY): ${why}` }),
  ],
  [
    /(no such host|server misbehaving|i\/o timeout|TLS handshake timeout|connection refused|connection reset by peer|network is unreachable|certificate signed by unknown authority)/,
    ([, why]) => ({ line: `the module proxy (GOPROXY) cannot be reached: ${why}` }),
  ],
  [/module lookup disabled by GOPROXY=off/, () => ({ line: "its modules are not here, and GOPROXY=off forbids to fetch them" })],
  [/signal: killed/, () => ({ line: "the compiler was killed, as happens when memory runs out" })],
];

/** The trouble that Go's stderr tells of; what is not known is told by its last line. */
export function troubleOf(stderr: string): Trouble {
  for (const [pattern, tell] of KINDS) {
    const found = pattern.exec(stderr);
    if (found) return tell(found);
  }
  const lines = stderr.split("\n").filter((line) => line.trim() && !/^(go: downloading |# )/.test(line));
  return { line: lines.at(-1)?.trim() ?? "go build failed and said nothing" };
}
