// What a secret looks like by itself, whatever file it stands in: private keys, tokens with a known prefix, key stores.
import { createPrivateKey } from "node:crypto";
import { isPlaceholder } from "./placeholder.ts";

export interface Shape {
  /** Where it begins in the text. */
  index: number;
  /** "a GitHub token" */
  what: string;
}

/** Between a PEM header and its body: line ends, escaped ones too, indentation, quotes, comment signs. */
const SEPARATOR = String.raw`(?:\s|\\+[nrt]|["'\x60+,#>|*;]|%0[AaDd]|&#1[03];)`;
const SPACE = "(?: |%20|\\+)";
/** Headers of the body: `Proc-Type: 4,ENCRYPTED`, `Version: GnuPG v2`. */
const HEADERS = String.raw`(?:[A-Za-z-]{2,20}: [^\n\\]{0,100}${SEPARATOR}+)*`;
const BASE64_32 = "[A-Za-z0-9+/]{43}=";
/** A name, then its value: YAML, JSON (escaped, too), INI, a shell assignment. */
const named = (names: string, value: string) => new RegExp(String.raw`(?<![\w-])(?:${names})\\*["']?\s*[:=]\s*\\*["']?(${value})`, "gi");

/** The first group, where there is one, is the value; otherwise the whole match is. */
const SHAPES: { what: string; pattern: RegExp }[] = [
  {
    what: "a private key",
    pattern: new RegExp(
      String.raw`-----BEGIN${SPACE}(?:[A-Z0-9]+${SPACE}){0,3}PRIVATE${SPACE}KEY(?:${SPACE}BLOCK)?-----${SEPARATOR}{0,200}${HEADERS}${SEPARATOR}{0,200}((?:[A-Za-z0-9+/]|%2[BbFf]){32,})`,
      "g",
    ),
  },
  {
    what: "a private key",
    pattern: /---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----|\bPuTTY-User-Key-File-\d: [\s\S]{0,400}?Private-Lines:/g,
  },
  { what: "a private key (JWK)", pattern: /"kty"\s*:[^{}]{0,2000}"d"\s*:\s*"([\w-]{40,})"|"d"\s*:\s*"[\w-]{40,}"[^{}]{0,2000}"kty"\s*:/g },
  { what: "an age private key", pattern: /(?<![A-Z0-9])AGE-SECRET-KEY-(?:PQ-)?1([0-9A-Z]{20,})/gi },
  { what: "a client key (client-key-data)", pattern: named("client-key-data", "[A-Za-z0-9+/_-]{20,}={0,2}") },
  { what: "a WireGuard key", pattern: named("private_?key|pre_?shared_?key", BASE64_32) },
  { what: "a Talos secret", pattern: named("secretbox_?encryption_?secret|aescbc_?encryption_?secret", "[A-Za-z0-9+/]{20,}={0,2}") },
  { what: "a 256-bit secret", pattern: named("secret", BASE64_32) },
  { what: "a bootstrap token", pattern: named("token|bootstrap_?token|trustd_?token", String.raw`[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])`) },
  { what: "a Kubernetes or other signed token (JWT)", pattern: /(?<![\w-])eyJ[\w-]{10,}\.eyJ([\w-]{10,}\.[\w-]{20,})/g },
  { what: "a 1Password service account token", pattern: /\bops_eyJ([\w+/-]{40,})/g },
  { what: "1Password Connect credentials", pattern: /"encCredentials"\s*:\s*\{[^{}]*"data"\s*:\s*"([^"]{16,})"/g },
  { what: "a Cloudflare tunnel token", pattern: /\{"a":"[0-9a-f]{32}","t":"[0-9a-f-]{36}","s":"([^"]{16,})"/g },
  { what: "Cloudflare tunnel credentials", pattern: /"TunnelSecret"\s*:\s*"([^"]{16,})"/g },
  {
    what: "a TrueNAS API key",
    pattern: /(?<![\w-])\d{1,6}-((?=[A-Za-z0-9]{0,63}[A-Z])(?=[A-Za-z0-9]{0,63}[a-z])[A-Za-z0-9]{64})(?![\w-])/g,
  },
  { what: "a GitHub token", pattern: /(?<![A-Za-z0-9_])(?:gh[pousr]_([A-Za-z0-9]{30,})|github_pat_(\w{40,}))/g },
  { what: "a GitLab token", pattern: /(?<![\w-])gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-([\w-]{20,})/g },
  { what: "an npm token", pattern: /(?<![\w-])npm_([A-Za-z0-9]{36})(?!\w)/g },
  { what: "a Docker Hub token", pattern: /(?<![\w-])dckr_(?:pat|oat)_([\w-]{20,})/g },
  { what: "an AWS access key", pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)([A-Z2-7]{16})(?![A-Za-z0-9])/g },
  { what: "an AWS secret key", pattern: named("aws_?secret_?access_?key|secret_?access_?key", "[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])") },
  { what: "a Google API key", pattern: /(?<![\w-])AIza([\w-]{35})(?![\w-])/g },
  { what: "a Google OAuth secret", pattern: /(?<![\w-])GOCSPX-([\w-]{28})/g },
  { what: "a Slack token", pattern: /(?<![\w-])xox[abeoprs]-([\w-]{20,})|(?<![\w-])xapp-(\d-[\w-]{20,})/g },
  {
    what: "a Slack or Discord webhook",
    pattern:
      /https:\/\/(?:hooks\.slack\.com\/(?:services|workflows)|(?:canary\.|ptb\.)?discord(?:app)?\.com\/api\/webhooks)\/([\w/-]{30,})/g,
  },
  { what: "a Telegram bot token", pattern: /(?<![\w:])\d{8,10}:(AA[\w-]{33})(?![\w-])/g },
  { what: "a Tailscale key", pattern: /(?<![\w-])tskey-(?:auth|api|client|scim|webhook)?-?([\w-]{16,})/g },
  { what: "a Grafana token", pattern: /(?<![\w-])(?:glsa_|glc_)([\w=+/-]{24,})/g },
  { what: "a HashiCorp Vault token", pattern: /(?<![\w-])hv[sbr]\.([\w-]{24,})/g },
  { what: "a Terraform Cloud token", pattern: /\.atlasv1\.([\w-]{40,})/g },
  { what: "a DigitalOcean token", pattern: /(?<!\w)do[opr]_v1_([0-9a-f]{64})/g },
  { what: "a PyPI token", pattern: /(?<![\w-])pypi-([\w-]{50,})/g },
  { what: "a Stripe key", pattern: /(?<!\w)[rs]k_live_([A-Za-z0-9]{20,})/g },
  { what: "a SendGrid key", pattern: /(?<![\w.-])SG\.([\w-]{16,}\.[\w-]{32,})/g },
  { what: "an OpenAI or Anthropic key", pattern: /(?<![\w-])sk-(?:proj|svcacct|admin|ant|or)-([\w-]{32,})/g },
  { what: "a Hugging Face token", pattern: /(?<!\w)hf_([A-Za-z0-9]{30,})(?!\w)/g },
  { what: "an Azure storage key", pattern: /\bAccountKey=([A-Za-z0-9+/]{86}==)/g },
  { what: "a password in a URL", pattern: /:\/\/[^\s:/@"'`<>(){}$\\]{1,200}:([^\s/@"'`<>\\]{3,200})@[\w.[-]/g },
];

/** The same text with every escaped line end as white space, so that a word begins behind it; nothing moves. */
export const withoutEscapes = (text: string) => text.replace(/\\+[nrt]/g, (escape) => "\n".padEnd(escape.length));

/** Everything in a text that looks like a secret, in the text's order for each kind. */
export const shapesIn = (text: string): Shape[] =>
  SHAPES.flatMap(({ what, pattern }) =>
    [...text.matchAll(pattern)]
      .filter(([whole, ...groups]) => !isPlaceholder(groups.find((group) => group !== undefined) ?? whole))
      .map(({ index }) => ({ index, what })),
  );

/** What bytes are when they are a secret as a whole: a private key in DER, a key store. Undefined for everything else. */
export function keyStoreOf(bytes: Buffer): string | undefined {
  if (bytes.length < 32) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0xfeedfeed || magic === 0xcececece) return "a Java key store";
  if (magic === 0x03d9a29a) return "a KeePass database";
  if (bytes[0] !== 0x30) return undefined;
  if (PKCS12.every((piece) => bytes.subarray(0, 48).includes(piece))) return "a PKCS#12 key store";
  return isPrivateKey(bytes) ? "a private key (DER)" : undefined;
}

/** Version 3, and content of the type pkcs7-data or pkcs7-signedData. */
const PKCS12 = [Buffer.from("020103", "hex"), Buffer.from("06092a864886f70d0107", "hex")];

const isPrivateKey = (key: Buffer) =>
  (["pkcs8", "pkcs1", "sec1"] as const).some((type) => {
    try {
      createPrivateKey({ key, format: "der", type });
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE"; // an encrypted key is a key
    }
  });
