// Keeps git inside a home: it never finds the checkout around the home, reads no configuration of this machine, and reaches only local folders.
import { readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { whenPresent } from "../present.ts";

interface Places {
  /** The home's folder. */
  folder: string;
  bin: string;
  user: string;
  /** Bare repositories, as `<host>/<owner>/<name>.git`. */
  remotes: string;
}

/** The variables of git. GIT_ALLOW_PROTOCOL outweighs every configuration, so ssh, https, git, ext and every remote helper are refused before they start. */
export function gitEnvironment({ folder, bin, user, remotes }: Places): Record<string, string> {
  const rewritten = hostsIn(remotes).flatMap((host) =>
    formsOf(host).map((form) => [`url.${join(remotes, host)}/.insteadOf`, form] as const),
  );
  return {
    GIT_CEILING_DIRECTORIES: [folder, ...above(folder)].join(delimiter),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: join(user, ".gitconfig"),
    GIT_ALLOW_PROTOCOL: "file",
    GIT_SSH_COMMAND: join(bin, "ssh"),
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(rewritten.length),
    ...Object.fromEntries(
      rewritten.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

/** A search for `.git` stops at a ceiling, unless it starts at the ceiling itself. So every folder above the home is a ceiling too. */
function above(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [parent, ...above(parent)];
}

const hostsIn = (remotes: string) => (whenPresent(() => readdirSync(remotes)) ?? []).sort();

/** How a URL of this host may begin. */
export const formsOf = (host: string) => [
  `https://${host}/`,
  `http://${host}/`,
  `ssh://${host}/`,
  `ssh://git@${host}/`,
  `git@${host}:`,
  `git://${host}/`,
];
