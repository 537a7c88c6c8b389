// Whether Flux will follow this home's repository, and find in it what lies here: nothing of the template left, the right branch, everything pushed.
import type { Cluster } from "../../cluster/cluster.ts";
import { textOf } from "../../run/errors.ts";
import type { Verdict } from "../../run/gates.ts";
import { pushedBelow } from "../../flux/git.ts";
import { ask } from "../../run/shell.ts";

const EXAMPLE_HOST = /(^|[.@/])example\.(com|net|org)$/i;
const EXAMPLE_TUNNEL = /^[0-]+4000-8000-0+$/;
/** The same below kubernetes/, outside of comments, as git grep reads it. */
const IN_FILES = String.raw`^[^#]*(example\.(com|net|org)\b|github\.com/example/|00000000-0000-4000-8000-000000000000)`;

/** Fields of talos/cluster.yaml that still have the template's values. A cluster that follows them trusts somebody else. */
export function placeholders({ git, domain, acme, cloudflare }: Pick<Cluster, "git" | "domain" | "acme" | "cloudflare">): string[] {
  const { hostname, pathname } = new URL(git.url);
  const found: [field: string, value: string, is: boolean][] = [
    ["git.url", git.url, pathname.startsWith("/example/") || EXAMPLE_HOST.test(hostname)],
    ["git.owner", git.owner, git.owner === "example"],
    ["domain", domain, EXAMPLE_HOST.test(domain)],
    ["acme.email", acme.email, EXAMPLE_HOST.test(acme.email)],
    ["cloudflare.tunnel", cloudflare.tunnel, EXAMPLE_TUNNEL.test(cloudflare.tunnel)],
  ];
  return found.flatMap(([field, value, is]) => (is ? [`talos/cluster.yaml: ${field} is still the template's ${value}`] : []));
}

/** `github.com/owner/name`, of https, ssh and git@host:owner/name alike. */
export function repositoryOf(url: string): string {
  const short = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(url);
  const [host, path] = short ? [short[1]!, short[2]!] : parts(url);
  return `${host.toLowerCase()}/${path
    .replace(/^\/+/, "")
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")}`;
}

const parts = (url: string): [host: string, path: string] => {
  if (!URL.canParse(url)) return ["", url];
  const { host, pathname } = new URL(url);
  return [host, pathname];
};

/** The preflight's check. An unreachable remote is unknown: only what waits for Flux needs it. */
export async function lookAtGit({ cluster }: { cluster: Pick<Cluster, "git" | "domain" | "acme" | "cloudflare"> }): Promise<Verdict> {
  const { url, branch } = cluster.git;
  const template = placeholders(cluster);
  const current = await ask`git rev-parse --abbrev-ref HEAD`.nothrow();
  if (current.exitCode !== 0) {
    const why = `this folder is not a Git repository with a commit: ${textOf(current).split("\n")[0]}`;
    return { state: "bad", saw: [...template, why].join("\n"), fix: "clone your fork, and work in it" };
  }
  const searched = await ask`git grep -n -I -E --untracked -e ${IN_FILES} -- kubernetes`.nothrow();
  const inTree = searched.stdout.split("\n").flatMap((line) => /^([^:]+:\d+):/.exec(line)?.[1] ?? []);
  const on = current.stdout.trim();
  const pushed = await pushedBelow("kubernetes");
  const remote = "unknown" in pushed ? undefined : await remoteUrls(pushed.upstream);
  const bad = [
    ...template,
    ...inTree.map((place) => `${place} still has a value of the template`),
    ...(on === branch ? [] : [`${on === "HEAD" ? "no branch" : `branch ${on}`} is checked out, Flux follows ${branch} (git.branch)`]),
    ...("unknown" in pushed ? [`it is unknown what was pushed: ${pushed.unknown}`] : pushed.here),
    ...(remote && !remote.some((one) => repositoryOf(one) === repositoryOf(url))
      ? [`the branch is pushed to ${remote[0]}, Flux follows ${url} (git.url)`]
      : []),
  ];
  if (bad.length > 0)
    return { state: "bad", saw: bad.join("\n"), fix: fixFor({ template: template.length + inTree.length > 0, on, branch }) };
  if ("unknown" in pushed) throw new Error("unreachable"); // it is bad: see above
  if (pushed.unreachable !== undefined)
    return { state: "unknown", saw: `the remote cannot be reached: ${pushed.unreachable}; as far as is known here, everything is pushed` };
  return { state: "ok", saw: `${branch} is pushed, at ${pushed.head.slice(0, 12)}` };
}

function fixFor({ template, on, branch }: { template: boolean; on: string; branch: string }): string {
  if (template) return "edit talos/cluster.yaml, then: task configure, then commit and push";
  return on === branch ? "commit and push" : `git switch ${branch}`;
}

/** As it was typed, and as git reads it with the aliases of this machine. */
async function remoteUrls(upstream: string): Promise<string[]> {
  const [name = ""] = upstream.split("/");
  const typed = await ask`git config --get ${`remote.${name}.url`}`.nothrow();
  const read = await ask`git remote get-url ${name}`.nothrow();
  return [typed, read].filter(({ exitCode }) => exitCode === 0).map(({ stdout }) => stdout.trim());
}
