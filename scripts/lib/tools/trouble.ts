// What a failed build was about, in one line: Go's own words are many, and the one that counts is rarely the last.

export interface Trouble {
  line: string;
  /** No other tool can be built either, so none is begun. */
  everywhere?: true;
}

const MODULE = String.raw`([\w.~/-]+@v[\w.+-]+)`;

/** The kinds of trouble, the most telling first: a module that cannot be had is also a failed request, a full disk also a failed compile. */
const KINDS: [pattern: RegExp, tell: (found: RegExpExecArray) => Trouble][] = [
  [/no space left on device/, () => ({ line: "the disk is full: free some space (Go's own cache: `go clean -cache`)", everywhere: true })],
  [
    /disk quota exceeded/,
    () => ({ line: "the disk quota is used up: free some space (Go's own cache: `go clean -cache`)", everywhere: true }),
  ],
  [
    new RegExp(`verifying ${MODULE}(?:/go\\.mod)?: checksum mismatch`),
    ([, module]) => ({ line: `${module} is not what go.sum says: whoever delivered it (GOPROXY) delivered something else` }),
  ],
  [
    /missing go\.sum entry for (?:module providing package|go\.mod file[;:]?)\s*(\S*)/,
    ([, what]) => ({ line: `go.sum is incomplete: ${what}` }),
  ],
  [/updates to go\.mod needed/, () => ({ line: "go.mod is incomplete: run `go mod tidy` in its folder" })],
  [/requires go >= ([\d.]+)/, ([, version]) => ({ line: `it needs Go ${version}` })],
  [
    /(?:lookup \S+.*: (no such host|server misbehaving)|(i\/o timeout|TLS handshake timeout|connection refused|network is unreachable|connection reset by peer))/,
    (found) => ({ line: `the module proxy (GOPROXY) cannot be reached: ${found[1] ?? found[2]}` }),
  ],
  [
    new RegExp(`${MODULE}: (?:[^\\n]*(?:404 Not Found|410 Gone|unknown revision|invalid version|not found)|module lookup disabled)`),
    ([, module]) => ({ line: `the module ${module} cannot be had from the module proxy (GOPROXY)` }),
  ],
  [/signal: killed/, () => ({ line: "the compiler was killed, mostly for want of memory" })],
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
