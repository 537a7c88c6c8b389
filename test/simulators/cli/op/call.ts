// What all commands of the stand-in for op share.
import { type Call, Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import type { Words } from "../flags.ts";
import { goError } from "../go-errors.ts";

/** op's error, without `[ERROR]` and the time. */
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

/** Only JSON is supported; the stand-in prints no tables. */
export function needJson(words: Words): void {
  if (words.text("format") !== "json") throw new Untaught("only --format=json");
}

/** Like the real op, opens the given path, including `/dev/stdin`. */
export const readIn = (call: Call, file: string) =>
  call.read(file).catch((error: unknown) => {
    throw new OpError(goError(file, error));
  });
