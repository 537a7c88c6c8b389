// Renders the project's nunjucks templates. An undefined variable is an error with file and line, never an empty value. References to secrets stay references.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "nunjucks";
import { type Cluster, ITEM_KEYS, type ItemKey, reference } from "../cluster/cluster.ts";
import { Failure } from "../run/errors.ts";
import { nearest } from "./nearest.ts";

export type Variables = Record<string, unknown>;

/** Renders a template (its path from `root`) with these variables. Throws a Failure with file and line. */
export async function renderTemplate(root: string, file: string, variables: Variables): Promise<string> {
  const rendered = await attempt(root, file, variables);
  if ("text" in rendered) return rendered.text;
  throw rendered.failure;
}

/** As renderTemplate; undefined if the file itself does not exist. */
export async function renderIfThere(root: string, file: string, variables: Variables): Promise<string | undefined> {
  const rendered = await attempt(root, file, variables);
  if ("text" in rendered) return rendered.text;
  if (rendered.absent === file) return undefined;
  throw rendered.failure;
}

type Rendered = { text: string } | { failure: Failure; absent: string | undefined };

async function attempt(root: string, file: string, variables: Variables): Promise<Rendered> {
  const environment = await environmentOf(root);
  [located, absent] = [undefined, undefined];
  try {
    return { text: environment.render(file, variables) };
  } catch (error) {
    const failure = new Failure({
      attempted: `render ${file}`,
      said: located ?? messageOf(error as RenderError, file),
      now: "nothing was changed",
      next: `fix ${file}`,
    });
    return { failure, absent };
  }
}

/** `ref(item, field)` of templates: the `op://` reference of a field of one of the home's items. */
export const refFor = (cluster: Pick<Cluster, "onepassword">) => (item: ItemKey, field: string) => {
  if (ITEM_KEYS.includes(item)) return reference(cluster, item, field);
  const close = nearest(item, ITEM_KEYS);
  throw new Error(`ref("${item}", "${field}"): there is no such item${close ? `, did you mean "${close}"?` : `: ${ITEM_KEYS.join(", ")}`}`);
};

type Nunjucks = typeof import("nunjucks");

const environments = new Map<string, Environment>();

/** One environment per root, which caches compiled templates. */
async function environmentOf(root: string): Promise<Environment> {
  const known = environments.get(root);
  if (known) return known;
  const { default: nunjucks } = await import("nunjucks");
  nameUndefinedVariables(nunjucks);
  const options = { autoescape: false, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true, dev: true }; // dev: errors keep their line
  const environment = new nunjucks.Environment({ getSource: (file: string) => sourceOf(nunjucks, root, file) }, options);
  environments.set(root, environment);
  return environment;
}

function sourceOf(nunjucks: Nunjucks, root: string, file: string) {
  let src: string;
  try {
    src = readFileSync(join(root, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    absent = file;
    throw new Error(`${file} is missing`, { cause: error });
  }
  try {
    nunjucks.precompileString(src, { name: file }); // here a syntax error has its line; in an included file nunjucks would lose it
  } catch (error) {
    located ??= messageOf(error as RenderError, file);
    throw error;
  }
  return { src, path: file, noCache: false };
}

/** The message of an error whose place is known. nunjucks replaces every error with one of its own, so it is kept here. */
let located: string | undefined;

/** The template that does not exist, kept for the same reason. */
let absent: string | undefined;

interface Node {
  lineno: number;
  value?: string;
  target?: Node;
  val?: Node;
}
interface Compiler {
  templateName: string;
  _emit(code: string): void;
  _compileExpression(node: Node, frame: unknown): void;
  compileSymbol(node: Node, frame: { lookup(name: string): unknown }): void;
  compileLookupVal(node: Node, frame: unknown): void;
}
interface Inside {
  compiler: { Compiler: { prototype: Compiler } };
  runtime: {
    contextOrFrameLookup(context: { getVariables(): object }, frame: unknown, name: string, at?: string): unknown;
    memberLookup(target: unknown, key: string, name?: string, at?: string): unknown;
  };
}

let isPatched = false;

/** nunjucks does not name an undefined variable, nor its place in an included file. This makes the compiler pass both to the two lookups. */
function nameUndefinedVariables(nunjucks: unknown): void {
  if (isPatched) return;
  isPatched = true;
  const { compiler, runtime } = nunjucks as Inside;
  const { compileSymbol } = compiler.Compiler.prototype;
  const { contextOrFrameLookup, memberLookup } = runtime;
  compiler.Compiler.prototype.compileSymbol = function (node, frame) {
    if (frame.lookup(node.value!)) compileSymbol.call(this, node, frame);
    else this._emit(`runtime.contextOrFrameLookup(context, frame, ${JSON.stringify(node.value)}, ${JSON.stringify(placeOf(this, node))})`);
  };
  compiler.Compiler.prototype.compileLookupVal = function (node, frame) {
    this._emit("runtime.memberLookup((");
    this._compileExpression(node.target!, frame);
    this._emit("),");
    this._compileExpression(node.val!, frame);
    this._emit(`, ${JSON.stringify(nameOf(node))}, ${JSON.stringify(placeOf(this, node))})`);
  };
  runtime.contextOrFrameLookup = (context, frame, name, at) => {
    const value = contextOrFrameLookup(context, frame, name);
    return value === undefined && at ? miss(at, name, name, Object.keys(context.getVariables())) : value;
  };
  runtime.memberLookup = (target, key, name, at) => {
    const value = memberLookup(target, key);
    return value === undefined && at ? miss(at, name!, key, typeof target === "object" && target ? Object.keys(target) : []) : value;
  };
}

const placeOf = ({ templateName }: Compiler, { lineno }: Node) => `${templateName}:${lineno + 1}`;

const nameOf = ({ value, target, val }: Node): string => (target && val ? `${nameOf(target)}.${nameOf(val)}` : String(value ?? "…"));

function miss(at: string, name: string, key: string, known: string[]): never {
  const close = nearest(String(key), known);
  located = `${at}: undefined variable "${name}"${close ? `, did you mean "${close}"?` : ""}`;
  throw new Error(located);
}

/** A nunjucks error. A syntax error has its line from 1 in its text; an error while rendering has `lineno` and `colno` from 0, and 0:0 if they are unknown. */
type RenderError = Error & { lineno?: number; colno?: number };

const NULL_OUTPUT = "attempted to output null or undefined value";

/** `file:line: message`. The text of a nunjucks error is a line `(file) [Line 3, Column 5]` for each file on the way, then the message. */
function messageOf({ message, lineno, colno }: RenderError, file: string): string {
  const [, where = file, line] = [...message.matchAll(/^\s*\(([^()]+)\)(?: \[Line (\d+)(?:, Column \d+)?\])?$/gm)].at(-1) ?? [];
  const text = message
    .split("\n")
    .at(-1)!
    .trim()
    .replace(/^(?:\w*Error: )+/, "");
  const first = text === NULL_OUTPUT ? 0 : 1; // the one error of nunjucks' runtime that counts from 1
  const rendered = lineno !== undefined && colno !== undefined && (lineno > 0 || colno > 0) ? lineno + first : undefined;
  const shown = rendered ?? line;
  return `${where}${shown ? `:${shown}` : ""}: ${text}`;
}
