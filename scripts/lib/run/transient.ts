// Transient errors: the one list that every retry and every wait uses.

/** Messages of kubectl, helm, talosctl and Go's network code when a server is down, starting or busy. */
const TRANSIENT = [
  /connection (refused|reset)|was refused|no route to host|i\/o timeout|TLS handshake timeout|\bEOF\b|broken pipe|temporary failure/i,
  /client connection lost|Unable to connect to the server: dial|server misbehaving/i,
  /too many requests|ServiceUnavailable|the server is currently unable|apiserver not ready/i,
  /etcdserver: (leader changed|request timed out)/i,
  /\b(429|500|502|503|504)\b/,
  /code = (Unavailable|DeadlineExceeded)/,
];

/** Messages of permanent errors, even if they also contain a word from the list above. */
const PERMANENT = /\b(401|403|404)\b|unauthorized|denied|not found|x509:|remote error: tls:/i;

/** Whether a command that failed with this message may succeed on retry. */
export const isTransient = (said: string): boolean => TRANSIENT.some((pattern) => pattern.test(said)) && !PERMANENT.test(said);

/** Node's and undici's codes for transient errors. An unknown host name (ENOTFOUND) or an untrusted certificate is not transient. */
export const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_ABORTED",
]);
