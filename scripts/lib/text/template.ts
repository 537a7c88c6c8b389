// Templates of the project, through nunjucks: a name that is not there is an error with file and line, never an empty place in a config. References to secrets stay references here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "nunjucks";
import { type Cluster, ITEM_KEYS, type ItemKey, reference } from "../cluster/cluster.ts";
import { Failure } from "../run/errors.ts";
import { nearest } from "./nearest.ts";

export type Variables = Record<string, unknown>;

/** The text of a template (its path from `root`) with these variables. Throws a Failure that says file and line. */
export async function renderTemplate(root: string, file: string, variables: Variables): Promise<string> {
  const environment = await environmentOf(root);
  absent = undefined;
  try {
    return environment.render(file, variables);
  } catch (error) {
    throw new Failure({
      attempted: `render ${file}`,
      said: absent ?? told(error as Error, file),
      now: "nothing was changed",
      next: `fix ${file}`,
    });
  }
}

/** `ref(item, field)` of templates: the `op://` reference of a field of one of the home's items. */
export const refFor = (cluster: Pick<Cluster, "onepassword">) => (item: ItemKey, field: string) => {
  if (ITEM_KEYS.includes(item)) return reference(cluster, item, field);
  const close = nearest(item, ITEM_KEYS);
  throw new Error(
    `ref("${item}", "${field}"): no item is called that${close ? `, did you mean "${close}"?` : `: ${ITEM_KEYS.join(", ")}`}`,
  );
};

const environments = new Map<string, Environment>();

/** One environment per root keeps each template compiled. */
async function environmentOf(root: string): Promise<Environment> {
  const known = environments.get(root);
  if (known) return known;
  const { default: nunjucks } = await import("nunjucks");
  sayWhatIsAbsent(nunjucks);
  const options = { autoescape: false, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true };
  const environment = new nunjucks.Environment({ getSource: (file: string) => sourceOf(root, file) }, options);
  environments.set(root, environment);
  return environment;
}

function sourceOf(root: string, file: string) {
  try {
    return { src: readFileSync(join(root, file), "utf8"), path: file, noCache: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new Error(`there is no ${file}`, { cause: error });
    throw error;
  }
}

/** What a template asked for and did not get; nunjucks takes every error apart, so it is kept here. */
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
    handleError(error: Error, lineno: number, colno: number): Error;
  };
}

let taught = false;

/** nunjucks says neither which name was undefined nor, of an included file, where: its compiler is made to pass both on to the two look-ups. */
function sayWhatIsAbsent(nunjucks: unknown): void {
  if (taught) return;
  taught = true;
  const { compiler, runtime } = nunjucks as Inside;
  const { compileSymbol } = compiler.Compiler.prototype;
  const { contextOrFrameLookup, memberLookup, handleError } = runtime;
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
  runtime.handleError = (error, lineno, colno) =>
    colno > 0 ? handleError(error, lineno + 1, colno + 1) : handleError(error, lineno, colno); // counted from 0; 0:0 is "somewhere"
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
  absent = `${at}: undefined variable "${name}"${close ? `, did you mean "${close}"?` : ""}`;
  throw new Error(absent);
}

/** nunjucks' own words for everything else: "(file) [Line 3, Column 5]", a line for each file on the way, then what is wrong. */
function told({ message }: Error, file: string): string {
  const [, where = file, line] = [...message.matchAll(/^\s*\(([^()]+)\)(?: \[Line (\d+), Column \d+\])?$/gm)].at(-1) ?? [];
  const said = message
    .split("\n")
    .at(-1)!
    .trim()
    .replace(/^(?:\w*Error: )+/, "");
  return `${where}${line ? `:${line}` : ""}: ${said}`;
}
