// What a stand-in executable asks of the home, and what the home can ask of it.
import type { World } from "./world.ts";

export interface Call {
  /** Words after the tool's name. */
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  /** Opens a path as the real tool would: relative to its cwd, `/dev/stdin` in the stand-in's own process, as the path that it is. Throws Node's error. */
  read(path: string): Promise<string>;
  /** The stand-in's standard input, for tools that read it as a stream (`-`). */
  stdin(): Promise<string>;
  /** Writes a file, of text or of bytes; the path is relative to the stand-in's cwd. */
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
  out(text: string): void;
  err(text: string): void;
}

/** Answers one command line; returns the exit code. Throws `Untaught` for what it does not know. */
export type Tool = (world: World, call: Call) => Promise<number>;

/** A stand-in never guesses: exit 70, naming the command line. */
export class Untaught extends Error {}
