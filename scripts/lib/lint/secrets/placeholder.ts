// Values that stand where a secret belongs and are none: references, variables, encrypted values, examples.

/** Resolved at run time (`op://…`, `${…}`, `{{ … }}`, `$VAR`, `<your token>`, `%s`), or encrypted by SOPS. */
const RESOLVED = /^(?:op:\/\/|\$|\{\{|<|%s|%v|ENC\[)|^\[.*\]$/;
/** Long enough that they do not occur in random characters by chance. */
const WORDS =
  /example|placeholder|redacted|changeme|change[-_]me|your[-_](?:token|key|secret|password)|(?:^|[-_])(?:fake|dummy|notreal)(?:[-_]|$)/i;
/** `xxxxxxxx`, `********`, `00000000`, also with separators. */
const REPEATED = /^(?:[x.…-]+|[*.-]+|[0.-]+)$/i;
/** What pages write for a password. */
const COMMON = new Set(["pass", "passwd", "password", "secret", "token", "user", "hunter2", "***"]);

/** Whether a value says by itself that it is no secret. Nothing is exempt for the folder that it stands in. */
export const isPlaceholder = (value: string) =>
  value === "" || RESOLVED.test(value) || REPEATED.test(value) || COMMON.has(value.toLowerCase()) || WORDS.test(value.slice(0, 200));
