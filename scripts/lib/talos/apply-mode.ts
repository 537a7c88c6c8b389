// The modes in which talosctl applies a machine config.

export const MODES = {
  auto: "reboots the node only if the change needs it",
  "no-reboot": "refuses a change that needs a reboot",
  reboot: "always reboots the node",
  staged: "writes the config; the node uses it from its next reboot on",
  try: "applies it for one minute, then returns to the old config",
} as const;
export type Mode = keyof typeof MODES;

/** The config to compare and to verify: a staged config is only on the disk. */
export const idFor = (mode: Mode) => (mode === "staged" ? "persistent" : "v1alpha1");
