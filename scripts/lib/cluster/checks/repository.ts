// git.owner must match the owner in git.url.
import type { Finding, Read } from "../findings.ts";

const GITHUB = ["github.com", "www.github.com", "ssh.github.com"];

/** On GitHub the first part of the path is the owner, case-insensitive. */
export function checkOwner(read: Read): Finding[] {
  const { owner, named, github } = ownersOf(read);
  if (!github || owner === undefined || owner.toLowerCase() === named?.toLowerCase()) return [];
  return [
    {
      path: ["git", "owner"],
      message: `${owner} does not own the repository in git.url, ${named} does (leave git.owner out, or correct one of them)`,
    },
  ];
}

/** A repository elsewhere may mirror a GitHub repository with another owner. */
export function oddOwner(read: Read): Finding[] {
  const { owner, named, github } = ownersOf(read);
  if (github || owner === undefined || named === undefined || owner.toLowerCase() === named.toLowerCase()) return [];
  return [
    { path: ["git", "owner"], message: `${owner} is not the owner that git.url names (${named}); correct only if the URL is a mirror` },
  ];
}

function ownersOf(read: Read) {
  const [url, owner] = [read("git", "url"), read("git", "owner")];
  const { hostname, pathname } = url === undefined ? { hostname: undefined, pathname: undefined } : new URL(url);
  return { owner, named: pathname?.split("/")[1], github: GITHUB.includes(hostname?.toLowerCase() ?? "") };
}
