// Where runs of the lint remember what they parsed: below the folder of the home's own state.
import { join } from "node:path";

export const cacheFolder = (state: string) => join(state, "cache/lint");
