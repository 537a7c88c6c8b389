// What every command of the stand-in for op has at hand.
import { type Call, Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import type { Words } from "../flags.ts";
import { goError } from "../go-errors.ts";

/** What went wrong, in op's words, without `[ERROR]` and the time. */
export class OpError extends Error {}

export interface OpCall {
  world: World;
  call: Call;
  words: Words;
  /** The words after the command. */
  rest: string[];
}

/** JSON the way op prints it. */
export const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Only JSON was taught; a stand-in prints no tables. */
export function needJson(words: Words): void {
  if (words.text("format") !== "json") throw new Untaught("only --format=json");
}

/** The real op opens the path it is given, `/dev/stdin` too. */
export const readIn = (call: Call, file: string) =>
  call.read(file).catch((error: unknown) => {
    throw new OpError(goError(file, error));
  });
