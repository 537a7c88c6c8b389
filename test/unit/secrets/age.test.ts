// The age key: the vault, .sops.yaml and the key file must mean the same one.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { PLACEHOLDER } from "../../../scripts/lib/tree/sops-rules.ts";
import { forgetSecrets, redact } from "../../../scripts/lib/run/redact.ts";
import { expectAgeKey, newIdentity, recipientsOfKeys } from "../../../scripts/lib/secrets/age.ts";
import { testCluster } from "../test-cluster.ts";

afterEach(forgetSecrets);

const KEY = await newIdentity();
const OTHER = await newIdentity();
const [OURS] = await recipientsOfKeys(KEY);
const [THEIRS] = await recipientsOfKeys(OTHER);

test("a new identity is hidden from output", async () => {
  const identity = await newIdentity();
  expect(identity).toMatch(/^AGE-SECRET-KEY-1[A-Z0-9]{58}$/);
  expect(redact(`x ${identity} y`)).toBe("x ******** y");
});
test("recipients of a key file, comments and several keys included", async () => {
  expect(await recipientsOfKeys(`# created: today\n# public key: ${OURS}\n${KEY}\n\n  ${OTHER}  \n`)).toEqual([OURS, THEIRS]);
  expect(await recipientsOfKeys("nothing")).toEqual([]);
  expect(await recipientsOfKeys("AGE-SECRET-KEY-1BROKEN")).toEqual([]);
});

describe("what belongs together", () => {
  const look = (held: string, recipient: string | undefined, keyFile?: string) => {
    const root = mkdtempSync(join(tmpdir(), "age-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    if (recipient) writeFileSync(join(root, ".sops.yaml"), `creation_rules:\n  - age: ${recipient}\n`);
    const file = join(root, "age.key");
    if (keyFile) writeFileSync(file, keyFile);
    const vault = { resolve: async (references: Iterable<string>) => new Map([...references].map((one) => [one, held])) };
    return expectAgeKey({ root, cluster: testCluster(), env: { SOPS_AGE_KEY_FILE: file }, vault }).catch((error: Error) =>
      error.message.replaceAll(root, ""),
    );
  };
  test("is said", async () => {
    expect(await look(KEY, OURS)).toBe(`the vault's age key is that of ${OURS} in .sops.yaml`);
    expect(await look(`# comment\n${KEY}\n`, OURS, `${OTHER}\n${KEY}`)).toContain(OURS);
  });
  test.each([
    [
      "the vault holds no key",
      "x",
      OURS,
      undefined,
      "op://Infrastructure/sops/SOPS_PRIVATE_KEY holds no age identity (a line AGE-SECRET-KEY-1…)",
    ],
    [
      ".sops.yaml has its placeholder",
      KEY,
      PLACEHOLDER,
      undefined,
      ".sops.yaml still has the placeholder in place of a recipient: task secrets:init replaces it",
    ],
    ["there is no .sops.yaml", KEY, undefined, undefined, ".sops.yaml is missing: git restore .sops.yaml"],
    [
      ".sops.yaml names another",
      KEY,
      THEIRS,
      undefined,
      `encrypts for ${THEIRS} and not for ${OURS}, whose key the vault has, so Flux could not decrypt`,
    ],
    ["the key file is another", KEY, OURS, OTHER, `/age.key holds the key of ${THEIRS}, the vault the key of ${OURS}`],
    ["the key file holds none", KEY, OURS, "# empty", `/age.key holds no age identity, the vault the key of ${OURS}`],
  ])("%s", async (_what, held, recipient, keyFile, message) => expect(await look(held, recipient, keyFile)).toContain(message));
});
