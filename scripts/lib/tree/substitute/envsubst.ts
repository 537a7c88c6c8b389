// ${X}, ${X:=y} and their kin as Flux expands them (fluxcd/pkg/envsubst): the same scanner, so that $$, nesting and what is an error agree.

type Lookup = (name: string) => string | undefined;
type Node = { text: string } | { name: string; operator: string; args: Node[][] };

/** Expands a text. Throws for a variable that is not set and has no default, and for a bracket that does not close. */
export function expand(text: string, lookup: Lookup): string {
  return evaluate(new Scanner(text).all(), lookup);
}

/** Names of the variables of a text, with whether each one has a default. */
export function variablesIn(text: string): { name: string; optional: boolean }[] {
  const walk = (nodes: Node[]): { name: string; optional: boolean }[] =>
    nodes.flatMap((node) =>
      "text" in node ? [] : [{ name: node.name, optional: DEFAULTS.has(node.operator) }, ...node.args.flatMap(walk)],
    );
  return walk(new Scanner(text).all());
}

/** Operators that bring a value of their own for a variable that is not set. */
const DEFAULTS = new Set(["-", "+", "=", "?", ":-", ":+", ":=", ":?"]);
const LETTER = /[\p{L}\p{Nd}_]/u;

class Scanner {
  private at = 0;
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  all(): Node[] {
    const nodes: Node[] = [];
    let plain = "";
    while (this.at < this.text.length) {
      if (this.text.startsWith("$$", this.at)) {
        plain += "$"; // one of the two is taken as it stands: $${X} is ${X}
        this.at += 2;
      } else if (this.text.startsWith("${", this.at)) {
        if (plain) nodes.push({ text: plain });
        plain = "";
        this.at += 2;
        nodes.push(this.expression());
      } else plain += this.text[this.at++];
    }
    if (plain) nodes.push({ text: plain });
    return nodes;
  }

  private take(fits: (character: string, index: number) => boolean, escapes = ""): string {
    let taken = "";
    for (let index = 1; this.at < this.text.length; index += 1) {
      const here = this.text[this.at]!;
      if (here === "\\" && escapes.includes("\\") && /[/\\]/.test(this.text[this.at + 1] ?? "")) this.at += 1;
      else if (!fits(here, index)) break;
      taken += this.text[this.at++];
    }
    return taken;
  }

  private expression(): Node {
    if (this.text[this.at] === "#") {
      this.at += 1;
      const name = this.take((one) => LETTER.test(one));
      if (!name) throw new Error("bad substitution");
      this.close();
      return { name, operator: "#length", args: [] };
    }
    const name = this.take((one) => LETTER.test(one));
    if (!name) throw new Error("unable to parse variable name");
    const next = this.text[this.at];
    if (next === ":" && /[=\-?+]/.test(this.text[this.at + 1] ?? "")) return this.fallback(name, 2);
    if (next === "=") return this.fallback(name, 1);
    if (next === ":") return this.substring(name);
    if (next === "," || next === "^")
      return this.simple(
        name,
        this.take((one, index) => one === next && index < 3),
      );
    if (next === "/") return this.replacing(name);
    if (next === "#" || next === "%") {
      const operator = this.take((one, index) => one === next && index < 3);
      return this.simple(name, operator, [this.argument((one) => one !== "}")]);
    }
    return this.simple(name, "");
  }

  private simple(name: string, operator: string, args: Node[][] = []): Node {
    this.close();
    return { name, operator, args };
  }

  private close(): void {
    if (this.text[this.at] !== "}") throw new Error("missing closing brace");
    this.at += 1;
  }

  /** A nested expression, or text up to what ends it. */
  private argument(fits: (character: string) => boolean, escapes = ""): Node[] {
    if (this.text.startsWith("${", this.at)) {
      this.at += 2;
      return [this.expression()];
    }
    const text = this.take((one) => fits(one) && !this.text.startsWith("${", this.at), escapes);
    if (text) return [{ text }];
    throw new Error("unable to parse substitution within function");
  }

  private fallback(name: string, length: number): Node {
    const operator = this.text.slice(this.at, this.at + length);
    this.at += length;
    const args: Node[][] = [];
    while (this.at < this.text.length && this.text[this.at] !== "}") args.push(this.argument((one) => one !== "}"));
    return this.simple(name, operator, args);
  }

  private substring(name: string): Node {
    this.at += 1;
    const args = [this.argument((one) => one !== ":" && one !== "}")];
    if (this.text[this.at] === ":") {
      this.at += 1;
      args.push(this.argument((one) => one !== "}"));
    }
    return this.simple(name, ":", args);
  }

  private replacing(name: string): Node {
    const operator = this.take((one, index) => (index === 1 && one === "/") || (index === 2 && /[/#%]/.test(one)));
    const args = [this.argument((one) => one !== "/", "\\")];
    if (this.text[this.at] !== "/") throw new Error("bad substitution");
    this.at += 1;
    if (this.text[this.at] !== "}") args.push(this.argument((one) => one !== "}", "\\"));
    return this.simple(name, operator, args);
  }
}

function evaluate(nodes: Node[], lookup: Lookup): string {
  return nodes.map((node) => ("text" in node ? node.text : call(node, lookup))).join("");
}

function call({ name, operator, args: nodes }: Extract<Node, { name: string }>, lookup: Lookup): string {
  const args = nodes.map((one) => evaluate(one, lookup));
  const value = lookup(name);
  if (value === undefined && !DEFAULTS.has(operator)) throw new Error(`variable not set (strict mode): "${name}"`);
  return apply(operator, value ?? "", args);
}

const upFirst = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
const downFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1);

function apply(operator: string, value: string, args: string[]): string {
  const [first = "", second = ""] = args;
  if (operator === "#length") return String(Buffer.byteLength(value));
  if (operator === "^^") return value.toUpperCase();
  if (operator === "^") return upFirst(value);
  if (operator === ",,") return value.toLowerCase();
  if (operator === ",") return downFirst(value);
  if (operator === ":") return substring(value, args);
  if (operator === "/") return value.replace(first, () => second);
  if (operator === "//") return value.replaceAll(first, () => second);
  if (operator === "/#") return args.length === 2 && value.startsWith(first) ? second + value.slice(first.length) : value;
  if (operator === "/%") return args.length === 2 && value.endsWith(first) ? value.slice(0, -first.length) + second : value;
  if (operator.startsWith("#")) return trim(value, first, operator === "##", false);
  if (operator.startsWith("%")) return trim(value, first, operator === "%%", true);
  return value === "" ? args.join("") : value;
}

function substring(value: string, [from = "", length]: string[]): string {
  if (!/^[-+]?\d+$/.test(from) || (length !== undefined && !/^[-+]?\d+$/.test(length))) return value;
  const start = Number(from) < 0 ? Math.max(0, value.length + Number(from)) : Number(from);
  return length === undefined ? value.slice(start) : value.slice(start, start + Number(length));
}

/** Takes a prefix (or suffix) off that a shell pattern matches, the longest or the shortest. */
function trim(value: string, pattern: string, longest: boolean, end: boolean): string {
  const regular = new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", "[^/]*")
      .replaceAll("?", "[^/]")}$`,
  );
  const lengths = Array.from({ length: value.length }, (_, index) => (longest ? value.length - index : index + 1));
  const found = lengths.find((length) => regular.test(end ? value.slice(-length) : value.slice(0, length)));
  if (found === undefined) return value;
  return end ? value.slice(0, -found) : value.slice(found);
}
