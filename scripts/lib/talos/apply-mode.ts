// The modes in which talosctl applies a machine config.

export const MODES = ["auto", "no-reboot", "reboot", "staged", "try"] as const;
export type Mode = (typeof MODES)[number];

/** What is compared and proven: a staged config is only on the disk. */
export const idFor = (mode: Mode) => (mode === "staged" ? "persistent" : "v1alpha1");
