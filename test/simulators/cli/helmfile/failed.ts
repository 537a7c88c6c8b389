// How helmfile tells that a helm it ran failed.

/** The report of a command: what was run, how it ended and what it said. */
export function commandFailed(args: string[], said: string): string {
  const indented = said.replaceAll("\n", "\n  ");
  return `command "helm" exited with non-zero status:\n\nPATH:\n  helm\n\nARGS:\n${args.map((arg, at) => `  ${at}: ${arg} (${arg.length} bytes)`).join("\n")}\n\nERROR:\n  exit status 1\n\nEXIT STATUS\n  1\n\nSTDERR:\n  ${indented}\n\nCOMBINED OUTPUT:\n  ${indented}`;
}
