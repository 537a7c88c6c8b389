// What a script needs to act and not to print its help. Loading all of it takes several times as long as printing.
// const { readSchematic } = await toAct(() => import("../talos/schematic.ts"));
// A module whose export stands in a spec (an option, a gate), or that almost every script loads, is imported as usual.

const onlyHelp = process.argv.length === 3 && process.argv[2] === "--help";

/** Loads a module, or nothing at all when this process prints the help of a script and ends. */
export const toAct = <T extends object>(load: () => Promise<T>): Promise<T> => (onlyHelp ? Promise.resolve({} as T) : load());
