// Secrets in plain text and SOPS files, as the commit hook and lint:kubernetes judge them; the encrypted file was written by sops itself.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { neededSecrets, templateFields } from "../../../scripts/lib/secrets/external-secrets.ts";
import { secretFaults } from "../../../scripts/lib/lint/secrets/plain.ts";
import { readSopsRules } from "../../../scripts/lib/tree/sops-rules.ts";
import { isMacTrue, sopsFaults } from "../../../scripts/lib/lint/secrets/sops.ts";
import type { FluxKustomization, KubeObject } from "../../../scripts/lib/tree/types.ts";

const TEXT = readFileSync("test/fixtures/sops/secret.sops.yaml", "utf8");
const RULES = await readSopsRules(readFileSync("test/fixtures/sops/rules.yaml", "utf8"));
/** Made for this fixture alone; in two parts, for the hook that looks for such keys. */
const KEY = ["AGE-SECRET-KEY-", "1T2MVY5H3FFVZUCY8H24DJ8MY780PZ28TZ69YCRAQ9HFUAMRMDLSQX60UFG"].join("");
const PATH = "kubernetes/apps/default/a.sops.yaml";
const document = () => parse(TEXT) as Record<string, unknown>;
const messages = async (path: string, text: string, keys: string[] = []) =>
  (await secretFaults(path, text, RULES, keys)).map(({ line, object, message }) => `${line} ${object}: ${message}`);

describe("a file that sops wrote", () => {
  it("fits the rules that it was written by, and its MAC is its content's", async () => {
    expect(sopsFaults(PATH, document(), RULES)).toEqual([]);
    expect(await isMacTrue(document(), [KEY])).toBe(true);
    expect(await messages(PATH, TEXT, [KEY])).toEqual([]);
  });
  it("changed by hand has another MAC: a value taken out, one put into another's place, one rewritten", async () => {
    const { stringData, ...rest } = document() as { stringData: Record<string, string> };
    const { password = "", lines = "", ...others } = stringData;
    for (const changed of [
      { ...others, lines },
      { ...stringData, password: lines, lines: password },
      { ...stringData, password: "hunter3" },
    ])
      expect(await isMacTrue({ ...rest, stringData: changed }, [KEY])).toBe(false);
    expect(await messages(PATH, TEXT.replace(/^ {4}lines: .*\n/m, ""), [KEY])).toEqual([
      "1 Secret default/a: its MAC is not that of its content",
    ]);
  });
  it("cannot be proven without the key, or with somebody else's", async () => {
    const other = "AGE-SECRET-KEY-1" + "Q".repeat(58);
    expect(await isMacTrue(document(), [])).toBeUndefined();
    expect(await isMacTrue(document(), [other])).toBeUndefined();
  });
  it("does not fit another recipient, another rule, another path", () => {
    const rule = RULES[0]!;
    expect(sopsFaults(PATH, document(), [{ ...rule, recipients: ["age1other"] }])).toEqual([
      expect.stringMatching(/^it is also for age1\w+, which .sops.yaml does not name$/),
      "it is not for age1other, which .sops.yaml names",
    ]);
    expect(sopsFaults(PATH, document(), [{ ...rule, encrypted_regex: "^data$" }])).toEqual([
      "its encrypted_regex is ^(data|stringData)$, .sops.yaml says ^data$",
    ]);
    expect(sopsFaults("elsewhere/a.sops.yaml", document(), RULES)).toEqual(["no rule of .sops.yaml is for this path"]);
  });
});

describe("a file fits rules in every form that SOPS reads", () => {
  const one = readFileSync("test/fixtures/sops/one-recipient.sops.yaml", "utf8");
  const found = async (rules: string, text = one) =>
    (await secretFaults("kubernetes/apps/zz/a.sops.yaml", text, await readSopsRules(rules))).map(({ message }) => message);
  it.each(["as-list", "key-groups-and-anchors"])("%s", async (form) =>
    expect(await found(readFileSync(`test/fixtures/sops/${form}.yaml`, "utf8"))).toEqual([]),
  );
  it("with several key groups, each with its recipients", async () => {
    const rules = `creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    key_groups: [{age: [age1${"q".repeat(58)}]}, {age: [age1other]}]\n`;
    const groups = one.replace(
      / {2}age:\n( {4}.*\n)+/,
      `  key_groups:\n    - age: [{recipient: age1${"q".repeat(58)}, enc: x}]\n    - age: [{recipient: age1other, enc: x}]\n`,
    );
    expect(groups).not.toBe(one);
    expect(await found(rules, groups)).toEqual([]);
    expect(await found(rules)).toEqual(["it is not for age1other, which .sops.yaml names"]);
  });
  it("and a rule that cannot be read is the fault", async () =>
    expect(await found("creation_rules:\n  - age: 7\n")).toEqual([
      "its rule in .sops.yaml (line 2) cannot be read: the age recipient in line 2 is neither text nor a list of texts",
    ]));
});

describe("plain text", () => {
  const SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  x: y\n";
  it("in a Secret is found, wherever it stands in the file", async () =>
    expect(await messages("kubernetes/a.yaml", `---\n${SECRET.replace("Secret", "ConfigMap")}---\n${SECRET}`)).toEqual([
      "9 Secret a: stringData.x is readable by everybody who reads the repository",
    ]));
  it("is none where it is a reference, a variable, or nothing", async () => {
    for (const value of ["op://vault/item/field", '"op://Home Lab/my item/my field"', "${PASSWORD}", '""', "'{{ ref(1) }}'"])
      expect(await messages("bootstrap/a.yaml", SECRET.replace("x: y", `x: ${value}`))).toEqual([]);
  });
});

describe("what the cluster asks for", () => {
  it("is picked from templates, from single fields, from whole items", () => {
    expect(
      templateFields({ data: { a: "{{ .ONE }}", b: 'x{{ .TWO | b64dec }}y{{ printf "%s" .THREE }}', c: '{{ index . "tls.crt" }}' } }),
    ).toEqual(["ONE", "TWO", "THREE", "tls.crt"]);
    const external = (name: string, spec: object) => ({
      object: { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", metadata: { name, namespace: "x" }, spec } as KubeObject,
      source: { file: "a.yaml", line: 1 },
    });
    const built = [
      external("whole", { dataFrom: [{ extract: { key: "item" } }] }),
      external("picked", { dataFrom: [{ extract: { key: "item" } }], target: { template: { data: { a: "{{ .FIELD }}" } } } }),
      external("single", { data: [{ secretKey: "a", remoteRef: { key: "other", property: "P" } }] }),
    ];
    expect(
      neededSecrets({ kustomizations: [{ built } as unknown as FluxKustomization] }).map(({ item, field, by }) => [item, field, by]),
    ).toEqual([
      ["item", undefined, "ExternalSecret x/whole"],
      ["item", "FIELD", "ExternalSecret x/picked"],
      ["other", "P", "ExternalSecret x/single"],
    ]);
  });
});
