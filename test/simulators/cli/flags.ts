// The words of a command line, read the way Go's command-line libraries do: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, switches.
import { Untaught } from "../world/tool.ts";

/** A flag that a stand-in was taught: a text, a list (given again and again, or with commas), or a switch. */
export interface Flag {
  is: "text" | "list" | "switch";
  short?: string;
}

export interface Words {
  /** What is no flag, in order. */
  rest: string[];
  text(name: string): string | undefined;
  list(name: string): string[];
  on(name: string): boolean;
  /** The switch's value when it was given, `--merge=false` too. */
  given(name: string): boolean | undefined;
}

/** Throws `Untaught` at a flag that is not in `flags`. */
export function readFlags(argv: string[], flags: Record<string, Flag>): Words {
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  const add = (name: string, value: string) => values.set(name, [...(values.get(name) ?? []), value]);
  const named = (word: string) => {
    const [name, flag] = Object.entries(flags).find(([name, { short }]) => name === word || (short !== undefined && short === word)) ?? [];
    if (!name || !flag) throw new Untaught(`the flag ${word.length === 1 ? "-" : "--"}${word}`);
    return { name, flag };
  };
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at]!;
    if (word === "--") {
      rest.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      rest.push(word);
      continue;
    }
    const long = word.startsWith("--");
    const cut = word.indexOf("=");
    const { name, flag } = named(long ? word.slice(2, cut < 0 ? undefined : cut) : word[1]!);
    const attached = cut >= 0 && (long || cut === 2) ? word.slice(cut + 1) : long || word.length === 2 ? undefined : word.slice(2);
    if (flag.is === "switch") add(name, attached ?? "true");
    else if (attached !== undefined) add(name, attached);
    else if (at + 1 < argv.length) add(name, argv[++at]!);
    else throw new Untaught(`${word} without a value`);
  }
  const last = (name: string) => values.get(name)?.at(-1);
  return {
    rest,
    text: last,
    list: (name) => (values.get(name) ?? []).flatMap((value) => value.split(",")).filter(Boolean),
    on: (name) => last(name) === "true",
    given: (name) => (last(name) === undefined ? undefined : last(name) === "true"),
  };
}
