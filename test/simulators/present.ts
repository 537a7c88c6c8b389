// Files that another process may remove at any moment: reading is the only way to know whether one exists.

/** What the act returns; undefined when its file or folder does not exist. */
export function whenPresent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
