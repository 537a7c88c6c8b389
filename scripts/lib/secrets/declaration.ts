// The schema of an application's secret-sources.yaml. Only its reader and the procedure that writes the JSON schema import it.
import { z } from "zod";
import { type Finding, type Path, tell } from "../cluster/findings.ts";
import { readYaml } from "../cluster/locate.ts";
import { nearest } from "../text/nearest.ts";

const sentence = (about: string) => z.string({ error: "must be text" }).trim().min(1, "is empty").describe(about);

const FIELD = /^[\w.-][\w. -]*$/;
const fields = (about: string) =>
  z
    .array(z.string({ error: "must be text" }).regex(FIELD, "is not a field name (letters, digits, space, - _ and .)"), {
      error: "must be a list of field names",
    })
    .default([])
    .describe(about);

const fetch = z.strictObject({
  link: z
    .string({ error: "must be text" })
    .regex(/^https:\/\/\S+$/, "is not an https:// address")
    .describe("The page where a person gets the value"),
  steps: sentence("What to do there"),
  rights: sentence("The rights that the key or token needs; as few as possible"),
});

const group = z
  .strictObject({
    item: sentence("The item in 1Password, exactly as the ExternalSecret writes it, for example ${ITEM_WIKI:=wiki}"),
    purpose: sentence("What stops working without the value"),
    generate: z
      .literal("password", { error: "must be password (32 letters and digits)" })
      .optional()
      .describe("task secrets:init creates the value"),
    fetch: fetch.optional().describe("A person gets the value from another service"),
    createdBy: sentence("The cluster or another target stores the value").optional(),
    public: fields("Fields that are no secret, such as an ID: output shows their values"),
    secret: fields("Fields whose values are never shown"),
  })
  .superRefine(({ generate, fetch, createdBy, ...lists }, context) => {
    const ways = [generate, fetch, createdBy].filter((one) => one !== undefined).length;
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    if (ways !== 1) issue(`needs exactly one of generate, fetch and createdBy, has ${ways}`);
    if (lists.public.length + lists.secret.length === 0) issue("names no field (list them under secret, or under public)");
  });

export const declaration = z.strictObject({
  order: z
    .int({ error: "must be a whole number" })
    .default(1000)
    .describe("The position in the list of task secrets:init: low numbers first"),
  secrets: z
    .array(group, { error: "must be a list" })
    .min(1, "declares nothing (delete the file)")
    .describe("The fields, grouped by who creates them"),
});

export type Declaration = z.infer<typeof declaration>;

export interface Read {
  /** Undefined for a file with problems. */
  value?: Declaration;
  /** `file:line: field: what is wrong` */
  problems: string[];
  lineOf(path: Path): number;
}

/** Reads a text; its problems name file and line. */
export function readDeclaration(file: string, text: string): Read {
  const { value, broken, complaints, lineOf } = readYaml(text);
  if (broken) return { problems: tell(file, [], lineOf, complaints), lineOf };
  const parsed = declaration.safeParse(value ?? {});
  const problems = tell(
    file,
    parsed.success ? [] : parsed.error.issues.flatMap((issue) => inWords(issue, value ?? {})),
    lineOf,
    complaints,
  );
  return { ...(parsed.success && problems.length === 0 && { value: parsed.data }), problems, lineOf };
}

const KEYS = [declaration, group, fetch].flatMap((schema) => Object.keys(schema.shape));

function inWords(issue: z.core.$ZodIssue, value: unknown): Finding[] {
  const path = issue.path as Path;
  if (issue.code !== "unrecognized_keys") return [{ path, message: valueAt(value, path) === undefined ? "is missing" : issue.message }];
  return issue.keys.map((key) => {
    const close = nearest(key, KEYS);
    return { path: [...path, key], message: `is unknown${close ? ` (did you mean ${close}?)` : ""}` };
  });
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], value);
