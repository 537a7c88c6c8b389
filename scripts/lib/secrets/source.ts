// What answers references to secrets: the one interface of every source.

/** A value, or what was said about it. */
export type Answer = { value: string } | { missing: string };

/** Another source is one more function like this: an answer to each reference; throws for what concerns all of them. */
export type Source = (references: readonly string[]) => Promise<Map<string, Answer>>;
