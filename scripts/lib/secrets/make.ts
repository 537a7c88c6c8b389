// Creates the values that can be generated: the Talos bundle (by talosctl), the age key and passwords.
import { randomInt } from "node:crypto";
import { explained } from "../run/explained.ts";
import { hide } from "../run/redact.ts";
import { ask } from "../run/shell.ts";
import type { Versions } from "../cluster/versions.ts";
import { newIdentity } from "./age.ts";
import type { Entry } from "./entry.ts";
import type { NewField } from "./items.ts";
import { fieldsFromBundle } from "./talos-bundle.ts";

/** 190 bits in letters and digits only: they need no quotes in a shell, a URL, an INI or a YAML file. */
const LENGTH = 32;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
export const password = () => Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");

export interface MakeContext {
  versions: Pick<Versions, "TALOS_VERSION">;
  /** The text of a key file that is stored in place of a new age key. */
  keyFile?: string | undefined;
}

/** Creates a value for each entry. Output redacts the secret ones from then on. */
export async function makeValues(entries: readonly Entry[], { versions, keyFile }: MakeContext): Promise<NewField[]> {
  const makers = new Set(entries.map(({ source }) => ("init" in source ? source.init : undefined)));
  // the output file is "-": a real file could survive the run, and talosctl cannot open the socket that Node passes as stdout
  const bundle = makers.has("talos-bundle")
    ? await fieldsFromBundle(
        await explained({ attempted: "create the secrets of the Talos cluster" }, () =>
          ask`talosctl gen secrets --talos-version ${versions.TALOS_VERSION} --output-file -`.text(),
        ),
      )
    : {};
  const age = makers.has("age-key") ? (keyFile ?? (await newIdentity())) : undefined;
  const made = entries.map(({ field, source, public: open }): NewField => {
    const maker = "init" in source ? source.init : "none";
    const value = { "talos-bundle": bundle[field], "age-key": age, password: password(), none: undefined }[maker];
    if (value === undefined) throw new Error(`nothing makes ${field}`);
    return { field, value, public: open };
  });
  hide(made.flatMap(({ value, public: open }) => (open ? [] : [value])));
  return made;
}
