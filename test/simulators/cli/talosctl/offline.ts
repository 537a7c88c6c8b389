// talosctl's commands that ask no node: gen secrets, gen config (the talosconfig of it), config info, validate.
import { createPrivateKey, generateKeyPair, randomBytes, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { loadDocuments, validate } from "../../world/talos/machine-config.ts";
import { type Call, Untaught } from "../../world/tool.ts";
import { createAuthority, issue, type KeyKind, signerOf } from "../../world/certificates.ts";
import { goError, isMissing } from "../go-errors.ts";
import { clientOf, contextOf, openTalosconfig, type TalosCall, TalosError } from "./client.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const decode = (text: string) => Buffer.from(text, "base64").toString();

/** `abcdef.0123456789abcdef`, as bootstrap tokens are. */
const token = () => `${letters(6)}.${letters(16)}`;
const letters = (n: number) => [...randomBytes(n)].map((byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join("");
const random = () => randomBytes(32).toString("base64");

/** The secrets of a new cluster, in Talos' own form. Two kilobits instead of four for the service accounts' key: nobody here waits for more. */
export async function genSecrets({ world, call, words, rest }: TalosCall): Promise<void> {
  if (rest.length > 0) throw new Untaught();
  const { privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const authority = (organizations: string[], kind: KeyKind) => {
    const made = createAuthority({ subject: { organizations }, days: 3650, kind, use: ["server", "client"], now: new Date(world.now()) });
    const key = createPrivateKey(made.key);
    const text =
      kind === "ed25519"
        ? made.key.replaceAll("PRIVATE KEY", "ED25519 PRIVATE KEY")
        : key.export({ type: "sec1", format: "pem" }).toString();
    return { crt: base64(made.cert), key: base64(text) };
  };
  const bundle = {
    cluster: { id: randomBytes(32).toString("base64url").padEnd(44, "="), secret: random() },
    secrets: { bootstraptoken: token(), secretboxencryptionsecret: random() },
    trustdinfo: { token: token() },
    certs: {
      etcd: authority(["etcd"], "p256"),
      k8s: authority(["kubernetes"], "p256"),
      k8saggregator: authority([], "p256"),
      k8sserviceaccount: { key: base64(privateKey) },
      os: authority(["talos"], "ed25519"),
    },
  };
  await put(call, words.text("output-file") ?? "secrets.yaml", stringify(bundle, { indent: 4, lineWidth: 0 }), words.on("force"));
}

async function put(call: Call, file: string, text: string, force: boolean, created = false): Promise<void> {
  if (file === "-") return call.out(text);
  const there = // a device exists, but reading it would wait forever
    file.startsWith("/dev/") ||
    (await call.read(file).then(
      () => true,
      (error: unknown) => !isMissing(error),
    ));
  if (there && !force) throw new TalosError(`file ${JSON.stringify(file)} already exists, use --force to overwrite`);
  await call.write(file, text, 0o600).catch((error: unknown) => {
    throw new TalosError(goError(file, error));
  });
  if (created) call.err(`Created ${file}\n`);
}

/** Only the talosconfig: machine configs come from the templates of the repository. */
export async function genConfig({ world, call, words, rest }: TalosCall): Promise<void> {
  const [name, endpoint, ...more] = rest;
  const secrets = words.text("with-secrets");
  if (!name || !endpoint || more.length > 0 || words.list("output-types").join() !== "talosconfig" || secrets === undefined)
    throw new Untaught();
  const text = await call.read(secrets).catch((error: unknown) => {
    throw new TalosError(`failed to load secrets bundle: ${goError(secrets, error)}`);
  });
  const os = (parse(text) as { certs?: { os?: { crt: string; key: string } } } | null)?.certs?.os;
  if (!os?.crt || !os.key) throw new TalosError("failed to validate secrets bundle: certs.os is required");
  const admin = issue(signerOf(decode(os.crt), decode(os.key)), {
    subject: { organizations: ["os:admin"] },
    days: 365,
    kind: "ed25519",
    use: ["client"],
    now: new Date(world.now()),
  });
  call.err("generating PKI and tokens\n");
  const context = {
    endpoints: [],
    ca: os.crt,
    crt: base64(admin.cert),
    key: base64(admin.key.replaceAll("PRIVATE KEY", "ED25519 PRIVATE KEY")),
  };
  await put(
    call,
    words.text("output") ?? "talosconfig",
    stringify({ context: name, contexts: { [name]: context } }, { indent: 4, lineWidth: 0 }),
    words.on("force"),
    true,
  );
}

const DAY = 86_400_000;

export async function infoCommand(talos: TalosCall): Promise<void> {
  const { world, call, words, rest } = talos;
  if (rest.length > 0 || words.text("output") !== "json") throw new Untaught();
  const config = await openTalosconfig(talos);
  const name = words.text("context") ?? config.context ?? "";
  const context = contextOf(config, name);
  if (!name) throw new TalosError("no context is set");
  if (!context) throw new TalosError(`context ${JSON.stringify(name)} is not defined`);
  const certificate = new X509Certificate(decode(context.crt));
  const until = Date.parse(certificate.validTo);
  const info = {
    context: name,
    nodes: context.nodes ?? null,
    endpoints: context.endpoints ?? null,
    roles: certificate.subject.split("\n").flatMap((part) => (part.startsWith("O=") ? [part.slice(2)] : [])),
    certTTL: inWords(until - world.now()),
    certNotAfter: new Date(until).toISOString().slice(0, 10),
  };
  call.out(`${JSON.stringify(info, null, 2)}\n`);
}

/** Roughly as the real one says it: "1 year from now", "3 weeks ago". */
function inWords(ms: number): string {
  const days = Math.floor(Math.abs(ms) / DAY);
  const [n, unit] =
    days >= 364
      ? [Math.round(days / 365), "year"]
      : days >= 30
        ? [Math.floor(days / 30), "month"]
        : days >= 7
          ? [Math.floor(days / 7), "week"]
          : [days, "day"];
  return `${n} ${unit}${n === 1 ? "" : "s"} ${ms < 0 ? "ago" : "from now"}`;
}

export async function validateCommand({ call, words }: TalosCall): Promise<void> {
  const file = words.text("config") ?? "";
  const mode = words.text("mode");
  if (mode !== "metal") throw new Untaught("only --mode metal");
  const text = await call.read(file).catch((error: unknown) => {
    throw new TalosError(goError(file, error));
  });
  const minor = Number(clientOf(call).split(".")[1]);
  const loaded = loadDocuments(text, minor);
  if ("error" in loaded) throw new TalosError(loaded.error);
  const wrong = validate(loaded.documents, { minor, strict: words.on("strict") });
  if (wrong !== undefined) throw new TalosError(wrong);
  call.out(`${file} is valid for ${mode} mode\n`);
}
