// Findings as people read them, and as GitHub shows them beside the lines of a pull request.
import type { Finding } from "../tree/types.ts";

/** Three lines each: where and what, why, how to mend it. */
export function inText(findings: readonly Finding[]): string {
  return findings
    .map(({ rule, level, file, line, object, message, why, fix }) =>
      [`${file}:${line} ${level} ${rule}${object ? ` ${object}` : ""}: ${message}`, `  why: ${why}`, `  fix: ${fix}`].join("\n"),
    )
    .join("\n");
}

const COMMANDS = { error: "error", note: "notice", unknown: "warning" } as const;
const escape = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const escapeProperty = (text: string) => escape(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** GitHub's workflow commands, one for each finding. */
export const asAnnotations = (findings: readonly Finding[]): string =>
  findings
    .map(
      ({ rule, level, file, line, object, message, why, fix }) =>
        `::${COMMANDS[level]} file=${escapeProperty(file)},line=${line},title=${escapeProperty(`${rule}${object ? ` ${object}` : ""}`)}::${escape(`${message}\nwhy: ${why}\nfix: ${fix}`)}`,
    )
    .join("\n");

/** "3 errors, 1 note, nothing unknown" */
export function inNumbers(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((one) => one.level === level).length;
  const several = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${several(count("error"), "error")}, ${several(count("note"), "note")}, ${count("unknown")} unknown`;
}
