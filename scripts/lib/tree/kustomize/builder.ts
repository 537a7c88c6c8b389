// The context of a build: the files, and two ways to report a problem.
import type { Files } from "../files.ts";
import type { Source } from "../types.ts";
import type { NameReference } from "./references.ts";

/** What one build has in hand. */
export interface Builder {
  files: Files;
  fail(at: Source, message: string, fix: string): undefined;
  unknown(at: Source, message: string, fix: string): void;
  /** The real build fails for something that is a finding already. */
  spoil(): void;
  references: NameReference[];
}
