// A hold as its scope sees it: see hold.ts.

export interface Releasable {
  describe(): string;
  /** Whether the end of the scope undoes it. */
  isHeld(): boolean;
  release(): Promise<void>;
}
