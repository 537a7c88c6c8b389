// A home, and the real helm and helmfile in it: its proxy and its authority, and caches of their own for each command.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { layoutOf } from "../../simulators/environment.ts";
import { type Home, openHome } from "../../simulators/home.ts";
import type { Fault } from "../../simulators/world/faults.ts";
import { builtTools } from "../../tools/find.ts";

export interface Said {
  code: number | null;
  out: string;
  err: string;
}

export interface RealTools {
  home: Home;
  /** Runs a real tool in the fork. */
  real(tool: "helm" | "helmfile", ...words: string[]): Promise<Said>;
  /** Runs the home's stand-in with the same words. */
  standIn(tool: "helm" | "helmfile", ...words: string[]): Promise<Said>;
  /** Switches a fault on for so many strikes, and every other off. */
  fault(name: Fault, times: number): Promise<void>;
  close(): Promise<void>;
}

export async function openRealTools(): Promise<RealTools> {
  const { bin } = builtTools();
  const [helm, helmfile] = [bin("helm"), bin("helmfile")];
  const folder = mkdtempSync(join(tmpdir(), "registry-real-"));
  const home = await openHome(folder);
  const cwd = layoutOf(folder).repo;
  const env = (more: Record<string, string> = {}) => home.environment({ NODE_OPTIONS: "", ...more });
  return {
    home,
    real(tool, ...words) {
      const own = mkdtempSync(join(layoutOf(folder).tmp, "helm-"));
      return said(tool === "helm" ? helm : helmfile, words, {
        cwd,
        env: env({
          PATH: `${dirname(helm)}:/usr/bin:/bin`,
          HOME: own,
          HELM_CACHE_HOME: join(own, "cache"),
          HELM_CONFIG_HOME: join(own, "config"),
          HELM_DATA_HOME: join(own, "data"),
          HELMFILE_CACHE_HOME: join(own, "helmfile"),
          HELMFILE_UPGRADE_NOTICE_DISABLED: "true", // it would ask github.com
        }),
      });
    },
    standIn: (tool, ...words) => said(join(layoutOf(folder).bin, tool), words, { cwd, env: env() }),
    async fault(name, times) {
      await home.ask("faults", { on: { [name]: times }, off: Object.keys(home.world.state.faults).filter((other) => other !== name) });
    },
    close: () => home.remove(),
  };
}

async function said(file: string, words: string[], options: { cwd: string; env: Record<string, string> }): Promise<Said> {
  const child = spawn(file, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (bytes) => void (out += String(bytes)));
  child.stderr.on("data", (bytes) => void (err += String(bytes)));
  const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  return { code, out, err };
}
