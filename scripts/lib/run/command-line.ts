// Reads a procedure's options from the command line, the variables of a task and the environment.
import { parseArgs } from "node:util";
import type { Collected } from "./document.ts";
import { UsageError } from "./errors.ts";
import { type Gate, readGates } from "./gates.ts";
import { nearest } from "../text/nearest.ts";
import { flag, maybeChoice, maybeText, type Option, type Options, type Values, variable } from "./options.ts";
import { wrap } from "../text/wrap.ts";
import type { Procedure } from "./spec.ts";

/** The options of every procedure. */
export const COMMON = {
  "dry-run": flag("show the plan and change nothing"),
  yes: flag("skip the yes/no question; destructive steps still need --confirm"),
  confirm: maybeText("the names that a destructive step asks for, comma-separated"),
  output: maybeChoice("form of the result", { text: "for people (default)", json: "one JSON document on stdout" }),
  waive: maybeText("safety checks to skip, comma-separated (recorded in the run report)"),
  "exit-code": flag("exit 2 if changes are pending"),
  "log-level": maybeChoice("how much is printed", {
    info: "progress and results (default)",
    debug: "also each command with its duration, redacted",
  }),
} satisfies Options;

export interface Common {
  dryRun: boolean;
  yes: boolean;
  confirm?: string;
  json: boolean;
  debug: boolean;
  exitCode: boolean;
  waive: string[];
  /** The output that OUTPUT=json prints at the end. */
  collected?: Collected;
  /** Prints a line on the terminal; unset before the terminal is open. */
  say?: (line: string) => void;
}

/** The variables that a target with these options accepts. */
export const variablesOf = (options: Options) => [...Object.keys(options), ...Object.keys(COMMON)].map(variable);

/** Reads flags first, then `ARG_<NAME>` (the task's variable), then, for the options of every procedure, `<NAME>` from the environment. */
export function readWords<O extends Options>(spec: Procedure<O>, words: string[], env: NodeJS.ProcessEnv) {
  const all: Options = { ...COMMON, ...spec.options };
  const { own, rest } = spec.rest === undefined ? { own: words, rest: [] } : cut(words, all);
  const parsed = parse(all, own, spec.name);
  if (parsed.help) return { help: true as const };
  const typed = (name: string) => {
    const given = parsed[name] ?? env[`ARG_${variable(name)}`] ?? (name in spec.options ? undefined : env[variable(name)]);
    return given === "" ? undefined : given; // a task passes an unset variable as an empty string
  };
  const read = (options: Options) =>
    Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.read(typed(name), name)]));
  const common = read(COMMON) as Values<typeof COMMON>;
  return {
    help: false as const,
    values: read(spec.options) as Values<O>,
    rest,
    common: {
      dryRun: common["dry-run"],
      yes: common.yes,
      ...(common.confirm !== undefined && { confirm: common.confirm }),
      json: common.output === "json",
      debug: common["log-level"] === "debug",
      exitCode: common["exit-code"],
      waive: readGates(common.waive, spec.gates ?? [], spec.name),
    } as Common,
  };
}

/** Splits the procedure's own flags from the command, which begins at the first word that is not a flag, or after `--`. */
function cut(words: string[], options: Options): { own: string[]; rest: string[] } {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (word === "--") return { own: words.slice(0, at), rest: words.slice(at + 1) };
    if (!word.startsWith("-")) return { own: words.slice(0, at), rest: words.slice(at) };
    if (!word.includes("=") && options[word.slice(2)]?.type === "string") at += 1;
  }
  return { own: words, rest: [] };
}

function parse(options: Options, words: string[], name: string): Record<string, string | boolean | undefined> {
  const known = { ...options, help: flag("") };
  try {
    return parseArgs({
      args: words,
      options: Object.fromEntries(Object.entries(known).map(([flag, { type }]) => [flag, { type }])),
    }).values as Record<string, string | boolean | undefined>;
  } catch (error) {
    const flags = Object.keys(options).map((flag) => `--${flag}`);
    const typed = /'(--[\w-]+)'/.exec((error as Error).message)?.[1];
    const close = typed === undefined ? undefined : nearest(typed, flags);
    throw new UsageError(
      `${name}: ${(error as Error).message.split(". To specify")[0]}${close ? `; did you mean ${close}?` : ""}\n  flags: ${flags.join(" ")}`,
    );
  }
}

const usage = (name: string, rest?: string) => [
  `  task ${name} [VARIABLE=value ...]${rest === undefined ? "" : ` -- ${rest}`}`,
  `  node --import ./scripts/start.mjs scripts/${name.replace(":", "/")}.ts [--flag value ...]${rest === undefined ? "" : ` ${rest}`}`,
];

/** The text of `--help`: the flags, their variables of the task, and what the procedure can destroy. */
export function help(spec: Procedure<Options>): string {
  const { name, about, options, destroys, rest, npmScript, gates = [] } = spec;
  const row = ([flag, option]: [string, Option<unknown>]) =>
    `  --${flag.padEnd(14)} ${`${variable(flag)}=`.padEnd(16)} ${option.about}${option.otherwise === undefined ? "" : `, default ${option.otherwise}`}${option.required ? ", required" : ""}`;
  const narrow = (entry: [string, Option<unknown>]) =>
    // 36: the column where descriptions begin
    [wrap(row(entry), 80, 36), ...choiceLines(entry[1])].join("\n");
  const own = Object.entries(options).map(narrow);
  return [
    wrap(`${name}: ${about}`, 80),
    ...(destroys ? [wrap(`  can destroy: ${destroys}`, 80)] : []),
    "",
    ...(npmScript ? [`  npm run ${name} -- [--flag value ...]`] : usage(name, rest)),
    "",
    ...own,
    ...(own.length ? [""] : []),
    ...commonFor(spec).map(narrow),
    "",
    ...gateLines(gates),
    wrap(
      `Exit codes: 0 done, 1 failed,${mayBePending(spec) ? " 2 changes pending (with EXIT_CODE=1)," : ""} 64 wrong usage, 130 interrupted.`,
      80,
    ),
  ].join("\n");
}

/** A line for each word of a choice. */
const choiceLines = ({ choices = {} }: Option<unknown>) =>
  Object.entries(choices).map(([word, what]) => wrap(`${" ".repeat(36)}${word}: ${what}`, 80, 38));

/** Whether it changes anything, or reports changes that are pending. */
const mayBePending = ({ readOnly, pending }: Procedure<Options>) => !readOnly || pending === true;

/** The common options that make sense for this procedure. The others are accepted too, because Task passes them to every target. */
const commonFor = (spec: Procedure<Options>) =>
  Object.entries(COMMON).filter(([flag]) => {
    if (flag === "waive") return (spec.gates ?? []).length > 0;
    if (flag === "exit-code") return mayBePending(spec);
    if (flag === "confirm") return spec.destroys !== undefined;
    return !(flag === "dry-run" || flag === "yes") || !spec.readOnly;
  });

/** The safety checks that WAIVE= can skip, with a description each. */
const gateLines = (gates: readonly Gate[]) =>
  gates.length === 0
    ? []
    : [
        "Safety checks, by the name that WAIVE= takes:",
        ...gates.map(({ name, about }) => wrap(`  ${name.padEnd(14)} ${about}`, 80, 17)),
        "",
      ];
