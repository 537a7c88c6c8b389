// .sops.yaml names who can decrypt: one age recipient, the public half of the key in the vault. A fresh fork has a placeholder there.
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

/** The recipients of every rule of a .sops.yaml, each once; a placeholder is none. */
export async function recipientsOf(text: string): Promise<string[]> {
  return [
    ...new Set(
      (await ageScalars(text)).flatMap(({ value }) => value.split(",").map((one) => one.trim())).filter((one) => RECIPIENT.test(one)),
    ),
  ];
}

/** The same .sops.yaml with `recipient` where a placeholder stands, and every other byte as it was; a recipient that is there stays. */
export async function withRecipient(text: string, recipient: string): Promise<string> {
  const placeholders = (await ageScalars(text)).filter(({ value }) => !RECIPIENT.test(value.split(",")[0]?.trim() ?? ""));
  return placeholders.toReversed().reduce((rest, { start, end }) => `${rest.slice(0, start)}${recipient}${rest.slice(end)}`, text);
}

interface Place {
  value: string;
  start: number;
  end: number;
}

/** The `age:` values of the rules and where they stand in the text, first to last. */
async function ageScalars(text: string): Promise<Place[]> {
  const { isMap, isScalar, isSeq, parseDocument } = await import("yaml");
  const rules = parseDocument(text).get("creation_rules", true);
  if (!isSeq(rules)) return [];
  return rules.items.flatMap((rule) => {
    const age = isMap(rule) ? rule.get("age", true) : undefined;
    return isScalar(age) && typeof age.value === "string" && age.range
      ? [{ value: age.value, start: age.range[0], end: age.range[1] }]
      : [];
  });
}
