// .sops.yaml in the forms that people write; SOPS' own reading (config/config.go) is the measure.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { recipientsOf, ruleFaults, ruleFor, rulesWithout, withRecipient } from "../../../scripts/lib/tree/sops.ts";
import { PLACEHOLDER, readSopsRules } from "../../../scripts/lib/tree/sops-rules.ts";

const OURS = `age1${"q".repeat(58)}`;
const OTHERS = `age1${"z".repeat(58)}`;
const SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBexampleexampleexampleexampleexampleexam";
const YUBIKEY = "age1yubikey1qwerty";
const fresh = `---\n# ours\ncreation_rules:\n  - path_regex: talos/.*\n    age: ${PLACEHOLDER}\n  - path_regex: kubernetes/.*\n    age: "${PLACEHOLDER}" # soon\nstores: {yaml: {indent: 2}}\n`;
const read = async (text: string) => recipientsOf(await readSopsRules(text));
const flaws = async (text: string) =>
  (await readSopsRules(text)).map(({ line, flaw }) => (flaw === undefined ? undefined : `${line}: ${flaw}`));

it("a placeholder is nobody", async () => {
  expect(await read(fresh)).toEqual([]);
  expect((await readSopsRules(fresh)).map(({ placeholders }) => placeholders.length)).toEqual([1, 1]);
  expect(await read("creation_rules: []\n")).toEqual([]);
  expect(await read("")).toEqual([]);
});

it("the recipient replaces the placeholder, and no other byte", async () => {
  const written = await withRecipient(fresh, OURS);
  expect(written).toBe(fresh.replaceAll(PLACEHOLDER, OURS));
  expect(await read(written)).toEqual([OURS]);
});

it("the shipped .sops.yaml has the placeholder in every rule", async () => {
  const text = readFileSync(".sops.yaml", "utf8");
  if (!text.includes(PLACEHOLDER)) return; // a fork has replaced it
  const rules = await readSopsRules(text);
  expect(rules.map(({ placeholders }) => placeholders.length)).toEqual(rules.map(() => 1));
});

describe("recipients are read", () => {
  test.each([
    ["as text", `age: ${OURS}`, [OURS]],
    ["as a list", `age:\n      - ${OURS}\n      - ${OTHERS}`, [OURS, OTHERS]],
    ["as a flow list", `age: [${OURS}, "${OTHERS}"]`, [OURS, OTHERS]],
    ["separated by commas and spaces", `age: "${OURS}, ${OTHERS} ,,"`, [OURS, OTHERS]],
    ["folded over lines", `age: >-\n      ${OURS},\n      ${OTHERS}`, [OURS, OTHERS]],
    ["in a block", `age: |\n      ${OURS},\n      ${OTHERS}\n`, [OURS, OTHERS]],
    ["of every type", `age: ${SSH},${YUBIKEY}`, [SSH, YUBIKEY]],
    ["once, also when named twice", `age: ${OURS},${OURS}`, [OURS]],
    [
      "in key groups",
      `key_groups:\n      - age: [${OURS}]\n      - pgp: [FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4]\n        age: [${OTHERS}]`,
      [OURS, OTHERS],
    ],
    [
      "in merged key groups",
      `key_groups:\n      - merge:\n          - age: [${OURS}]\n          - merge: [{age: [${OTHERS}]}]`,
      [OURS, OTHERS],
    ],
    ["not beside key groups, which hide them", `age: ${OTHERS}\n    key_groups: [{age: [${OURS}]}]`, [OURS]],
    ["beside empty key groups", `age: ${OURS}\n    key_groups: []`, [OURS]],
    [
      "beside other keys",
      `pgp: FBC7B9E2\n    kms: arn:aws:kms:x\n    hc_vault_transit_uri: https://v:8200/v1/sops/keys/k\n    age: ${OURS}`,
      [OURS],
    ],
    ["not where only other keys are", "pgp: FBC7B9E2", []],
    ["not where nothing stands", "age:", []],
  ])("%s", async (_what, age, expected) => {
    const rules = await readSopsRules(`creation_rules:\n  - path_regex: x\n    ${age}\n`);
    expect(rules[0]!.flaw).toBeUndefined();
    expect(rules[0]!.recipients).toEqual(expected);
  });
  it("through aliases and merge keys", async () => {
    const text = `keys:\n  - &ours ${OURS}\n  - &all [*ours, ${OTHERS}]\n  - &rule {age: *all, encrypted_regex: ^data$}\ncreation_rules:\n  - <<: *rule\n  - age: *ours\n  - key_groups: [{age: *all}]\n  - <<: [{path_regex: a}, *rule]\n`;
    expect((await readSopsRules(text)).map(({ recipients }) => recipients)).toEqual([
      [OURS, OTHERS],
      [OURS],
      [OURS, OTHERS],
      [OURS, OTHERS],
    ]);
    expect((await readSopsRules(text))[3]).toMatchObject({ path_regex: "a", encrypted_regex: "^data$" });
  });
});

describe("a form that SOPS does not read has a flaw", () => {
  test.each([
    ["a number", "age: 7", "2: the age recipient in line 3 is neither text nor a list of texts"],
    ["a map", "age: {a: b}", "2: the age recipient in line 3 is neither text nor a list of texts"],
    ["a list in a list", "age: [[a]]", "2: the age recipient in line 3 is neither text nor a list of texts"],
    ["text in a key group", "key_groups: [{age: age1x}]", "2: age in line 3 is not a list: in a key group it has to be one"],
    ["key groups that are a map", "key_groups: {age: [a]}", "2: key_groups is not a list"],
    ["a group that is text", "key_groups: [a]", "2: the key group in line 3 is not a map"],
    ["a circle", "key_groups: [&a {merge: [*a]}]", "2: key groups are merged in a circle"],
    ["a pattern that is none", `encrypted_regex: "("`, "2: encrypted_regex cannot be read as a regular expression: ("],
  ])("%s", async (_what, age, flaw) => expect(await flaws(`creation_rules:\n  - path_regex: x\n    ${age}\n`)).toEqual([flaw]));
  it("of the whole file too", async () => {
    expect(await flaws("a: [\n")).toEqual([expect.stringMatching(/^2: Flow sequence/)]);
    expect(await flaws("- a\n")).toEqual(["1: the file is not a map"]);
    expect(await flaws("x: 1\ncreation_rules:\n  a: 1\n")).toEqual(["3: creation_rules is not a list"]);
    expect(await flaws("creation_rules: [a]\n")).toEqual(["1: the rule is not a map"]);
    expect(await flaws("creation_rules:\n  - age: *nobody\n")).toEqual([expect.stringContaining("nobody")]);
  });
});

it("patterns are Go's", async () => {
  const rules = await readSopsRules(
    `creation_rules:\n  - {path_regex: "(?i)^KUBERNETES/", age: ${OURS}}\n  - {path_regex: "(?P<a>x)", age: ${OTHERS}}\n`,
  );
  expect(ruleFor("kubernetes/a.sops.yaml", rules)?.recipients).toEqual([OURS]);
  expect(ruleFor("x", rules)?.recipients).toEqual([OTHERS]);
});

describe("only the placeholder is replaced", () => {
  const only = async (text: string) => {
    const written = await withRecipient(text, OURS);
    expect(written).toBe(text.split("# end")[0]!.replaceAll(PLACEHOLDER, OURS) + text.slice(text.split("# end")[0]!.length));
    return read(written);
  };
  it("beside recipients of other people", async () => {
    expect(await only(`creation_rules:\n  - age: ${SSH},${PLACEHOLDER},${YUBIKEY} # keep\n`)).toEqual([SSH, OURS, YUBIKEY]);
    expect(await only(`creation_rules:\n  - age:\n      # mine\n      - '${PLACEHOLDER}'\n      - ${OTHERS}\n`)).toEqual([OURS, OTHERS]);
    expect(await only(`creation_rules:\n  - age: >-\n      ${OTHERS},\n      ${PLACEHOLDER}\n    mac_only_encrypted: true\n`)).toEqual([
      OTHERS,
      OURS,
    ]);
    expect(await only(`creation_rules:\n  - key_groups:\n      - age: [${PLACEHOLDER}]\n        pgp: [ABC]\n`)).toEqual([OURS]);
  });
  it("at the anchor, once, also when several rules use it", async () =>
    expect(await only(`keys: [&me ${PLACEHOLDER}]\r\ncreation_rules:\r\n  - age: *me\r\n  - age: [*me]\r\n`)).toEqual([OURS]));
  it("not in comments, other keys, longer words, or files without a placeholder", async () => {
    const text = `# ${PLACEHOLDER}\nnotes: ${PLACEHOLDER}\ncreation_rules:\n  - age: ${PLACEHOLDER}-2, ${OTHERS}\n`;
    expect(await withRecipient(text, OURS)).toBe(text);
    const theirs = fresh.replaceAll(PLACEHOLDER, OTHERS);
    expect(await withRecipient(theirs, OURS)).toBe(theirs);
  });
  it("as the file of case 01", async () => {
    const text = readFileSync("test/fixtures/sops/ssh-and-yubikey.yaml", "utf8");
    expect(await withRecipient(text, OURS)).toBe(text.replace(PLACEHOLDER, OURS));
    const rules = await readSopsRules(await withRecipient(text, OURS));
    expect(ruleFaults(rules, [OURS])).toEqual([]);
    expect(rulesWithout(rules, [OURS]).map(({ path_regex: pattern }) => pattern)).toEqual(["talos/.*\\.sops\\.ya?ml"]);
  });
});

describe("what Flux could not decrypt is said", () => {
  const faults = async (text: string, held = [OURS]) => ruleFaults(await readSopsRules(text), held);
  it("by the rule for kubernetes/, with the next step", async () => {
    expect(await faults(`creation_rules:\n  - path_regex: talos/\n    age: ${OURS}\n  - age: [${OTHERS}]\n`)).toEqual([
      `.sops.yaml:4, the rule for every file: encrypts for ${OTHERS} and not for ${OURS}, whose key the vault has, so Flux could not decrypt: add it to the rule, or store the key of ${OTHERS} in the vault`,
    ]);
    expect(await faults("creation_rules:\n  - path_regex: kubernetes/\n    pgp: A\n")).toEqual([
      `.sops.yaml:2, the rule for kubernetes/: names no age recipient, so Flux could not decrypt: add ${OURS}`,
    ]);
    expect(await faults("creation_rules:\n  - path_regex: talos/\n    age: a\n")).toEqual([
      ".sops.yaml has no rule for files below kubernetes/",
    ]);
    expect(await faults("creation_rules:\n  - age: 7\n")).toEqual([
      ".sops.yaml:2, the rule for every file: the age recipient in line 2 is neither text nor a list of texts",
    ]);
  });
  it("and nothing where it could", async () => {
    for (const file of ["as-list", "key-groups-and-anchors"]) {
      const rules = await readSopsRules(readFileSync(`test/fixtures/sops/${file}.yaml`, "utf8"));
      expect(ruleFaults(rules, [OURS])).toEqual([]);
      expect(ruleFor("kubernetes/apps/zz/a.sops.yaml", rules)?.recipients).toEqual([OURS]);
    }
    expect(await faults(fresh)).toEqual([]);
  });
});
