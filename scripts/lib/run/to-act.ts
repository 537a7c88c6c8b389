// Loads the modules that a script needs to act, but not to print its help. Loading them takes several times as long as printing.
// const { readSchematic } = await toAct(() => import("../talos/schematic.ts"));
// A module whose export is part of a spec (an option, a gate), or that almost every script loads, is imported as usual.

const onlyHelp = process.argv.length === 3 && process.argv[2] === "--help";

/** Loads a module, or nothing if this process only prints the help of a script. */
export const toAct = <T extends object>(load: () => Promise<T>): Promise<T> => (onlyHelp ? Promise.resolve({} as T) : load());
