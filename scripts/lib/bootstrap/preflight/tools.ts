// Checks that the command-line tools are installed and new enough for the home's versions.
import type { Versions } from "../../cluster/versions.ts";
import type { Verdict } from "../../run/gates.ts";
import { ask } from "../../run/shell.ts";

export interface Tool {
  name: string;
  words: string[];
  /** A semver range. */
  range: string;
  why: string;
}

/** The versions that this home needs. talosctl must match the nodes' Talos; kubectl is supported within one minor version of the API server. */
export const toolsFor = ({ TALOS_VERSION, KUBERNETES_VERSION }: Pick<Versions, "TALOS_VERSION" | "KUBERNETES_VERSION">): Tool[] => {
  const [, talosMajor, talosMinor] = /^v(\d+)\.(\d+)/.exec(TALOS_VERSION) ?? [];
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? [];
  return [
    {
      name: "talosctl",
      words: ["version", "--client", "--short"],
      range: `~${talosMajor}.${talosMinor}`,
      why: `Talos is ${TALOS_VERSION}`,
    },
    {
      name: "kubectl",
      words: ["version", "--client"],
      range: `>=${major}.${Number(minor) - 1} <${major}.${Number(minor) + 2}`,
      why: `Kubernetes is ${KUBERNETES_VERSION}`,
    },
    { name: "helm", words: ["version", "--short"], range: ">=3.17 <5", why: "charts come from OCI registries" },
    { name: "helmfile", words: ["--version"], range: ">=1", why: "bootstrap/helmfile.d is in its format" },
    { name: "flux", words: ["version", "--client"], range: ">=2.6", why: "Flux runs in the cluster" },
    { name: "op", words: ["--version"], range: ">=2.30", why: "secrets are in 1Password" },
  ];
};

/** Asks every tool for its version and names all of them. */
export async function lookAtTools(versions: Pick<Versions, "TALOS_VERSION" | "KUBERNETES_VERSION">): Promise<Verdict> {
  const satisfies = (await import("semver/functions/satisfies.js")).default;
  const seen = await Promise.all(
    toolsFor(versions).map(async ({ name, words, range, why }) => {
      const got = await ask({ timeout: "15s" })`${name} ${words}`.nothrow();
      const version = /v?(\d+\.\d+\.\d+(?:-[\w.]+)?)/.exec(`${got.stdout}\n${got.stderr}`)?.[1];
      if (got.exitCode !== 0 || version === undefined)
        return { wrong: `${name} is not to be had: ${got.stderr.trim().split("\n").at(-1) ?? ""}` };
      return satisfies(version, range, { includePrerelease: true })
        ? { right: `${name} ${version}` }
        : { wrong: `${name} ${version} does not fit ${range}: ${why}` };
    }),
  );
  const wrong = seen.flatMap((one) => one.wrong ?? []);
  return wrong.length
    ? { state: "bad", saw: wrong.join("\n"), fix: "mise install" }
    : { state: "ok", saw: seen.map((one) => one.right).join(", ") };
}
