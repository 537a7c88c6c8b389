// The types of options. Each reads the typed value (a flag, or the variable of the same name) and names the valid values if it is wrong.
import { UsageError } from "./errors.ts";

export interface Option<T> {
  about: string;
  /** Of a choice: its words, and what each does. */
  choices?: Choices;
  type: "string" | "boolean";
  /** Must be given; the target's `requires` lists it too. */
  required?: boolean;
  /** The default, as help shows it. */
  otherwise?: string;
  /** Converts the typed value to the procedure's value. */
  read(typed: string | boolean | undefined, flag: string): T;
}
export type Options = Record<string, Option<unknown>>;
export type Values<O extends Options> = { [K in keyof O]: O[K] extends Option<infer T> ? T : never };

const missing = (flag: string, hint: string) => new UsageError(`--${flag} (${variable(flag)}=) is missing: ${hint}`);
const wrong = (flag: string, typed: unknown, hint: string) =>
  new UsageError(`--${flag} (${variable(flag)}=) does not know "${String(typed)}": ${hint}`);

/** `node-name` as a variable of a task: NODE_NAME. */
export const variable = (flag: string) => flag.toUpperCase().replaceAll("-", "_");

/** The words of a choice, each with what it does. */
export type Choices<T extends string = string> = Readonly<Record<T, string>>;

/** One of a few words. */
export const choice = <const T extends string>(about: string, choices: Choices<T>, otherwise?: NoInfer<T>): Option<T> => ({
  about,
  choices,
  type: "string",
  required: otherwise === undefined,
  ...(otherwise !== undefined && { otherwise }),
  read(typed, flag) {
    const value = typed ?? otherwise;
    const valid = Object.keys(choices);
    if (typeof value === "string" && valid.includes(value)) return value as T;
    const hint = `one of ${valid.join(", ")}`;
    throw value === undefined ? missing(flag, hint) : wrong(flag, value, hint);
  },
});

/** One of a few words, or undefined if none was given. */
export const maybeChoice = <const T extends string>(about: string, choices: Choices<T>): Option<T | undefined> => ({
  ...choice(about, choices),
  required: false,
  read: (typed, flag) => (typed === undefined ? undefined : choice(about, choices).read(typed, flag)),
});

/** Any text; required unless `otherwise` is given. */
export const text = (about: string, otherwise?: string): Option<string> => ({
  about,
  type: "string",
  required: otherwise === undefined,
  ...(otherwise !== undefined && { otherwise }),
  read(typed, flag) {
    const value = typed ?? otherwise;
    if (typeof value === "string") return value;
    throw missing(flag, about);
  },
});

/** Any text, or undefined. */
export const maybeText = (about: string): Option<string | undefined> => ({
  about,
  type: "string",
  read: (typed) => (typeof typed === "string" ? typed : undefined),
});

/** The name of a node in talos/cluster.yaml (or its VM's name, or its address). The procedure checks it against the file. */
export const nodeName = (about = "name of a node in talos/cluster.yaml"): Option<string> => text(about);

/** Comma-separated node names; undefined means all. */
export const nodeNames = (about = "node names, comma-separated; all nodes by default"): Option<string[] | undefined> => ({
  about,
  type: "string",
  read: (typed) =>
    typeof typed === "string"
      ? typed
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean)
      : undefined,
});

/** A switch: `--flag`, or FLAG=1 of a task. */
export const flag = (about: string): Option<boolean> => ({
  about,
  type: "boolean",
  read(typed, name) {
    if (typed === undefined || typed === false || typed === "0" || typed === "false") return false;
    if (typed === true || typed === "1" || typed === "true") return true;
    throw wrong(name, typed, "1 or 0");
  },
});

/** An integer within bounds. */
export const integer = (about: string, { min, max, otherwise }: { min: number; max: number; otherwise: number }): Option<number> => ({
  about: `${about} (${min} to ${max})`,
  type: "string",
  otherwise: String(otherwise),
  read(typed, name) {
    const value = typed === undefined ? otherwise : Number(typed);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw wrong(name, typed, `a whole number from ${min} to ${max}`);
  },
});
