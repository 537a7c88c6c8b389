// The interface of a source of secrets.

/** A value, or the reason why it is missing. */
export type Resolution = { value: string } | { missing: string };

/** Returns an answer for each reference; throws for an error that concerns all of them. Another source is another function of this type. */
export type Source = (references: readonly string[]) => Promise<Map<string, Resolution>>;
