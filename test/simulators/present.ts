// Files that another process may remove at any moment: reading is the only way to know whether one exists.
export { whenPresentNow as whenPresent } from "../../scripts/lib/run/files.ts";
