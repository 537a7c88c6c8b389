// A standalone ESXi host or a vCenter for govc: VMware's own simulator, on loopback, gone with the home.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { startChild } from "../kubernetes/child.ts";

export interface Vsphere {
  /** `https://127.0.0.1:40123/sdk`: without user and password. */
  url: string;
  username: string;
  password: string;
  /** What govc needs to reach it; its certificate is checked. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

export interface VsphereOptions {
  tools: { vcsim: string };
  /** Where its log and its certificate go. */
  folder: string;
  kind: "esx" | "vcenter";
}

const READY_SECONDS = 300; // only stops a start that hangs
/** No secret: it is the simulator's, and without a login of its own it would take any. */
const LOGIN = ["-username", "root", "-password", "simulated"];

/** Starts it on a port of its own choice; ready when it returns. It ends with whoever called, even one that is killed. */
export async function serveVsphere({ tools: { vcsim }, folder, kind }: VsphereOptions): Promise<Vsphere> {
  // where it keeps its datastores; one that was killed left its own behind
  const stores = join(folder, "datastores");
  rmSync(stores, { recursive: true, force: true });
  mkdirSync(stores, { recursive: true, mode: 0o700 });
  let found: (line: string) => void;
  const told = new Promise<string>((resolve) => (found = resolve));
  const words = [`TMPDIR=${stores}`, vcsim, "-l", "127.0.0.1:0", "-vm", "0", ...LOGIN, ...(kind === "esx" ? ["-esx"] : [])];
  const child = startChild("/usr/bin/env", words, {
    cwd: folder,
    log: join(folder, "vcsim.log"),
    lines: (line) => {
      const address = /https:\S+/.exec(line)?.[0]; // `export GOVC_URL=https://user:pass@127.0.0.1:40123/sdk GOVC_SIM_PID=4285`
      if (address !== undefined) found(address);
    },
  });
  const close = async () => {
    await child.stop();
    rmSync(stores, { recursive: true, force: true });
  };
  try {
    const ended = child.ended.then((code) => [`it ended with ${code}`, child.said()].filter(Boolean).join(": "));
    const url = new URL(await within(told, ended));
    const [username, password] = [url.username, url.password];
    url.username = url.password = "";
    const authority = join(folder, "vcsim.crt");
    writeFileSync(authority, await certificateOf(url));
    return {
      url: url.href,
      username,
      password,
      environment: {
        GOVC_URL: url.href,
        GOVC_USERNAME: username,
        GOVC_PASSWORD: password,
        GOVC_TLS_CA_CERTS: authority,
        GOVC_PERSIST_SESSION: "false",
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address that it tells, unless it ended or says nothing. */
async function within(told: Promise<string>, ended: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`vcsim: it does not say where it listens after ${READY_SECONDS} s`)), READY_SECONDS * 1000);
    void ended.then((why) => reject(new Error(`vcsim: ${why}`)));
  });
  try {
    return await Promise.race([told, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The certificate that it shows, which it signed itself. */
function certificateOf({ hostname, port }: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.end();
      resolve(`-----BEGIN CERTIFICATE-----\n${raw.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`);
    });
    socket.once("error", reject);
  });
}
