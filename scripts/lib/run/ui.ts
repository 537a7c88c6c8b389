// The terminal: data on stdout, everything else on stderr. A plan is shown before it is carried out, and the default answer is No.
import { styleText } from "node:util";
import type { Collected } from "./document.ts";
import { Stop, UsageError } from "./errors.ts";
import type { Question } from "./plan.ts";
import { redact, redactData } from "./redact.ts";

export type Cell = string | number | undefined;

export interface Ui {
  readonly json: boolean;
  say(line: string): void;
  warn(line: string): void;
  debug(line: string): void;
  /** Progress of long work. On a terminal each line replaces the previous one; in a pipe at most one line is printed every ten seconds. */
  progress(line: string): void;
  /** The result: a table or a text for people, the value for machines (`OUTPUT=json`). */
  result(value: unknown, forPeople: string): void;
  /** Shows what is about to happen; ends a dry run; otherwise asks, and No is the default. Procedures call `context.confirm`, which looks again afterwards. */
  confirm(question: Question): Promise<Confirmation>;
}

/** `asked`: a person answered, so time has passed; `given`: YES=1 or CONFIRM= answered on the command line. */
export type Confirmation = "asked" | "given";

export interface UiSetup {
  dryRun: boolean;
  yes: boolean;
  /** The name that was passed in `CONFIRM=`. */
  confirmed?: string | undefined;
  json: boolean;
  /** Where OUTPUT=json collects what is printed at the end. */
  collected?: Collected | undefined;
  debug: boolean;
  out?: NodeJS.WritableStream & { isTTY?: boolean };
  err?: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  /** After its abort no plan and no progress is shown; warnings during cleanup still are. */
  signal?: AbortSignal;
  /** Asks a question on the terminal; undefined without a terminal. */
  question?: ((text: string) => Promise<string>) | undefined;
  now?: () => number;
}

type Style = "yellow" | "dim" | "bold";

const CLEAR = "\r\u001b[K";
const QUIET_MS = 10_000;

export function terminal(setup: UiSetup): Ui {
  const {
    dryRun,
    yes,
    confirmed,
    json,
    collected = { said: [] },
    out = process.stdout,
    err = process.stderr,
    question,
    now = () => performance.now(),
  } = setup;
  const live = Boolean(err.isTTY) && !setup.debug;
  let open = false; // a progress line stands unfinished
  let last = { line: "", at: -Infinity };
  const paint = (style: Style | undefined, text: string) =>
    style && err.isTTY && !process.env.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;
  // colours are added after redaction, which removes any in external text
  const line = (text: string, style?: Style) => {
    err.write(`${open ? CLEAR : ""}${paint(style, redact(text))}\n`);
    open = false;
  };

  return {
    json,
    say(text) {
      collected.said.push(text);
      line(text);
    },
    warn: (text) => line(`warning: ${text}`, "yellow"),
    debug: (text) => void (setup.debug && line(text, "dim")),
    progress(text) {
      if (setup.signal?.aborted) return;
      if (live) {
        const width = (err.columns ?? 80) - 1;
        const shown = redact(text).replaceAll("\n", " ");
        err.write(`${CLEAR}${paint("dim", shown.length > width ? `${shown.slice(0, width - 1)}…` : shown)}`);
        open = true;
      } else if (now() - last.at >= QUIET_MS) {
        line(text);
        last = { line: text, at: now() };
      }
    },
    result(value, forPeople) {
      if (open) err.write(CLEAR);
      open = false;
      if (json) collected.result = { value };
      else out.write(`${redactData(forPeople)}\n`);
    },
    async confirm({ title, lines, destroys }) {
      setup.signal?.throwIfAborted();
      line(title, "bold");
      for (const text of lines) line(`  ${text}`);
      if (destroys) {
        line("  cannot be undone:", "yellow");
        for (const text of destroys.what) line(`    ${text}`, "yellow");
      }
      collected.plan = { title, lines, ...(destroys && { destroys: destroys.what }) };
      if (dryRun) throw new Stop("dry run: nothing was changed", { pending: true });
      delete collected.plan; // only a dry run ends with it
      if (destroys) return confirmByName(destroys.name, confirmed, question);
      if (yes) return "given";
      if (!question) throw new UsageError("no terminal to ask on: pass YES=1 (--yes) to continue, DRY_RUN=1 (--dry-run) to only look");
      if (!/^y(es)?$/i.test((await question("Continue? [y/N] ")).trim())) throw new Stop("nothing was changed");
      return "asked";
    },
  };
}

async function confirmByName(name: string, confirmed: string | undefined, question: UiSetup["question"]): Promise<Confirmation> {
  if (confirmed !== undefined && sameNames(confirmed, name)) return "given";
  if (confirmed !== undefined) throw new UsageError(`CONFIRM=${confirmed} does not name what would be lost: CONFIRM=${name}`);
  if (!question) throw new UsageError(`this cannot be undone: pass CONFIRM=${name} (--confirm ${name}) to continue`);
  if (!sameNames(await question(`Type ${redact(name)} to continue: `), name)) throw new Stop("nothing was changed");
  return "asked";
}

/** Several names are separated by commas, in any order. */
function sameNames(typed: string, name: string): boolean {
  const list = (text: string) => [...new Set(text.split(",").map((one) => one.trim()))].toSorted().join();
  return list(typed) === list(name);
}

/** Pads columns to their widest cell, two spaces apart. The output is the same on a terminal, at 80 columns and in a pipe. */
export function table(head: string[], rows: Cell[][]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell ?? "-")))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
