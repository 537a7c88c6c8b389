// A value of a machine config as people may see it: what is secret inside an otherwise public value is hidden.
import { shapesIn } from "../lint/secrets/shapes.ts";
import { HIDDEN, holdsSecret } from "../run/redact.ts";
import { isSecretName } from "./secret-paths.ts";

/** `//user:password@host`, up to the last `@`; a name alone before the `@` is a token. */
const USER_INFO = /(:\/\/)([^\s/@:"]*)(:\S*)?@(?=[\w.[-])/g;
/** The same without a scheme, as proxy variables allow it. */
const BARE_USER_INFO = /^([^\s/@:"]+):(?!\/\/)(\S+)@(?=[\w.[-]+(?::\d+)?\/?$)/;
/** `talos.config.oauth.client_secret=…`, `--token=…`, `?jointoken=…`; several may stand in one text. */
const ASSIGNED = /([\w.-]+)=("[^"]*"|'[^']*'|[^\s&"']+)/g;

/** The text with passwords of URLs, secret arguments and query values hidden; hidden as a whole when it looks like a secret or came out of the vault. */
export function maskSecrets(text: string): string {
  const masked = text
    .replace(
      USER_INFO,
      (_, start: string, user: string, password?: string) => `${start}${password === undefined ? HIDDEN : `${user}:${HIDDEN}`}@`,
    )
    .replace(BARE_USER_INFO, `$1:${HIDDEN}@`)
    .replace(ASSIGNED, (whole, name: string) => (isSecretName(name.replace(/^-+/, "")) ? `${name}=${HIDDEN}` : whole));
  return shapesIn(masked).length > 0 || holdsSecret(masked) ? HIDDEN : masked;
}

/** Of `NAME=value` the name, of everything else how many lines there are. */
export function maskFree(value: unknown): string {
  if (typeof value !== "string") return HIDDEN;
  const name = /^([A-Za-z_][\w.-]*)=/.exec(value)?.[1];
  if (name !== undefined) return `"${name}=${HIDDEN}"`;
  const lines = value.trimEnd().split("\n").length;
  return lines > 1 ? `${HIDDEN} (${lines} lines)` : HIDDEN;
}
