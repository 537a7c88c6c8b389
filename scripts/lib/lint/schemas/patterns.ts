// Patterns of schemas are Go's (RE2): (?i) in the middle, \PC, \A. What JavaScript writes otherwise is translated; what it cannot say is reported.

/** The same pattern for JavaScript's `u` mode. Throws where there is none. */
export function toJavaScript(pattern: string): string {
  if (compiles(pattern)) return pattern;
  return new RegExp(translate(pattern), "u").source; // throws what is wrong with it
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u").source !== "" && !/\(\?[a-zA-Z-]+[:)]/.test(pattern); // newer engines read (?i:…), older ones do not
  } catch {
    return false;
  }
}

function translate(pattern: string): string {
  let result = "";
  const folds = [false]; // whether case counts, one for each open group
  let inClass = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at);
    const flags = inClass ? null : /^\(\?([ims]+)([:)])/.exec(rest);
    const escape = /^\\([pP])([A-Z])/.exec(rest);
    if (flags) {
      if (/[ms]/.test(flags[1]!)) throw new Error(`"${flags[0]}" has no counterpart`);
      if (flags[2] === ":") {
        folds.push(true);
        result += "(?:";
      } else folds[folds.length - 1] = true;
      at += flags[0].length - 1;
    } else if (escape) {
      result += `\\${escape[1]}{${escape[2]}}`;
      at += escape[0].length - 1;
    } else if (rest.startsWith("(?P<")) {
      result += "(?<";
      folds.push(folds.at(-1)!);
      at += 3;
    } else if (rest.startsWith("\\A") || rest.startsWith("\\z")) {
      result += rest[1] === "A" ? "^" : "$";
      at += 1;
    } else if (rest[0] === "\\") {
      const next = rest[1] ?? "";
      result += /[-_"'#%&,:;<=>@`~! ]/.test(next) && !(inClass && next === "-") ? next : `\\${next}`;
      at += 1;
    } else {
      const letter = rest[0]!;
      if (letter === "[") inClass = true;
      else if (letter === "]") inClass = false;
      else if (letter === "(" && !inClass) folds.push(folds.at(-1)!);
      else if (letter === ")" && !inClass) folds.pop();
      result += folds.at(-1) && /[a-zA-Z]/.test(letter) ? bothCases(letter, inClass, rest) : letter;
      if (folds.at(-1) && inClass && /^[a-zA-Z]-[a-zA-Z]/.test(rest)) at += 2;
    }
  }
  return result;
}

function bothCases(letter: string, inClass: boolean, rest: string): string {
  const range = inClass ? /^([a-zA-Z])-([a-zA-Z])/.exec(rest) : null;
  const [from = letter, to = letter] = range ? [range[1], range[2]] : [];
  if (range) return `${from.toLowerCase()}-${to.toLowerCase()}${from.toUpperCase()}-${to.toUpperCase()}`;
  const both = `${letter.toLowerCase()}${letter.toUpperCase()}`;
  return inClass ? both : `[${both}]`;
}
