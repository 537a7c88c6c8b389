// Identifies this machine. The host name is only the last resort, because it may change with the network.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Stays the same after a restart and under another host name. Hashed, because systemd's machine ID must not leave the machine. */
export function machineIdentity(platform: NodeJS.Platform = process.platform): string {
  const identity = (platform === "darwin" ? platformUuid() : machineId()) ?? `host ${hostname()}`;
  return createHash("sha256").update(`home-ops ${identity}`).digest("hex").slice(0, 16);
}

function machineId(): string | undefined {
  for (const file of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    try {
      const text = readFileSync(file, "utf8").trim();
      if (/^[0-9a-f]{32}$/.test(text)) return text; // an image that has not booted yet says "uninitialized"
    } catch {
      // missing or unreadable: try the next source
    }
  }
  return undefined;
}

function platformUuid(): string | undefined {
  try {
    const printed = execFileSync("ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"], { encoding: "utf8", stdio: "pipe" });
    return /"IOPlatformUUID" = "([^"]+)"/.exec(printed)?.[1];
  } catch {
    return undefined;
  }
}
