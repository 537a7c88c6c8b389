// A fork's vault is empty on its first day: creates what can be created, never overwrites, and lists what only a person can fetch.
import { join } from "node:path";
import type { Context } from "../lib/run/context.ts";
import { Failure, UsageError } from "../lib/run/errors.ts";
import type { Step } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Listed, StoredItem } from "../lib/secrets/op.ts";
import type { Facts, SecretsPlan, Write } from "../lib/secrets/plan.ts";
import { toAct } from "../lib/run/to-act.ts";

const { vaultOf } = await toAct(() => import("../lib/cluster/cluster.ts"));
const { readIfThere, writeFile } = await toAct(() => import("../lib/run/files.ts"));
const { nameOfRule, withRecipient } = await toAct(() => import("../lib/tree/sops.ts"));
const { readSopsRules } = await toAct(() => import("../lib/tree/sops-rules.ts"));
const { hide } = await toAct(() => import("../lib/run/redact.ts"));
const { AGE_KEY, recipientsOfKeys } = await toAct(() => import("../lib/secrets/age.ts"));
const { entriesFor, isPublic } = await toAct(() => import("../lib/secrets/entries.ts"));
const { differences, newItem, valueOf, withFields } = await toAct(() => import("../lib/secrets/items.ts"));
const { makeValues } = await toAct(() => import("../lib/secrets/make.ts"));
const { modeOf } = await toAct(() => import("../lib/secrets/mode.ts"));
const { expectOp, getItem, listItems, whoIsSignedIn } = await toAct(() => import("../lib/secrets/op.ts"));
const { planSecrets } = await toAct(() => import("../lib/secrets/plan.ts"));
const { fetchList } = await toAct(() => import("../lib/secrets/fetch-list.ts"));
const { plain, troubleOf } = await toAct(() => import("../lib/secrets/trouble.ts"));
const { nameOf, placeIn, placeOf, vaultsInWords, vaultsOf } = await toAct(() => import("../lib/secrets/vaults.ts"));
const { readJson } = await toAct(() => import("../lib/run/tool-output.ts"));

const AGAIN = "task secrets:init (goes on from what it finds)";

export const secretsInit = procedure({
  name: "secrets:init",
  about: "create the secrets that can be created, list what only a person can fetch",
  options: {},
  async run(_values, context) {
    const { cluster, ui, root, env, dryRun } = context;
    const mode = modeOf(env);
    if (!mode.keepsItems) throw new UsageError(`${mode.says} cannot ${mode.cannot.join(", ")}: unset OP_CONNECT_HOST and OP_CONNECT_TOKEN`);
    await expectOp();
    ui.say(`${vaultsInWords(cluster)} of 1Password, as ${await whoIsSignedIn(env)}`);

    const {
      plan,
      facts,
      steps,
      foreign: foreignRules,
    } = await context.confirm(async () => {
      const seen = await readFacts(context);
      const decided = planSecrets(entriesFor(cluster), cluster, seen);
      if (decided.contradictions.length > 0)
        throw new Failure({
          attempted: "plan the secrets",
          said: decided.contradictions.join("\n"),
          now: "nothing was changed",
          next: AGAIN,
        });
      if (dryRun) report(context, decided);
      const foreign = decided.foreignRules
        .map(
          (rule) =>
            `${nameOfRule(rule)}: does not name this home's age key. secrets:init replaces only the placeholder: add the recipient if this home has to decrypt those files`,
        )
        .concat(decided.exposed);
      return {
        title: `create secrets in ${vaultsInWords(cluster)}; existing ones are not changed`,
        lines: [...foreign.map((line) => `warning: ${line}`), ...describe(decided, context)],
        foreign,
        steps: stepsOf(decided),
        plan: decided,
        facts: seen,
      };
    });
    if (steps.length === 0) {
      foreignRules.forEach(ui.warn);
      if (!dryRun) report(context, plan);
      return ui.say("nothing to create: everything that can be created exists");
    }
    const keyFile = plan.adoptKeyFile ? await readIfThere(env.SOPS_AGE_KEY_FILE!) : undefined;
    for (const write of plan.writes) await store(context, write, facts, keyFile);
    if (plan.writeRecipient) await nameRecipient(context, join(root, ".sops.yaml"));
    report(context, plan);
  },
});

/** Reads every item of the home that is there, with its values. */
async function readFacts({ cluster, root, env, ui }: Context): Promise<Facts> {
  const listed: Facts["listed"] = [];
  for (const vault of vaultsOf(cluster)) listed.push(...(await listItems(vault)).map((one) => ({ ...one, vault })));
  const ours = new Set(entriesFor(cluster).map(({ item }) => placeOf(cluster, item)));
  const items = new Map<string, StoredItem>();
  for (const one of listed) {
    const place = placeIn(one.vault, one.title);
    if (!ours.has(place)) continue;
    ui.progress(`reading item ${one.title}`);
    items.set(place, await read(one, one.vault));
  }
  const sops = await readIfThere(join(root, ".sops.yaml"));
  const keyFile = await readIfThere(env.SOPS_AGE_KEY_FILE!);
  return {
    listed,
    items,
    rules: sops === undefined ? undefined : await readSopsRules(sops),
    keys: {
      vault: await recipientsOfKeys(valueOf(items.get(placeOf(cluster, AGE_KEY.item)), AGE_KEY.field) ?? ""),
      file: keyFile === undefined ? undefined : await recipientsOfKeys(keyFile),
    },
  };
}

async function read(one: Listed, vault: string): Promise<StoredItem> {
  const item = await getItem(one, vault);
  hide((item.fields ?? []).flatMap(({ label, value }) => (value && !isPublic(label ?? "") ? [value] : [])));
  return item;
}

function describe({ writes, adoptKeyFile, writeRecipient }: SecretsPlan, { cluster, env }: Context): string[] {
  const lines = writes.map(({ id, entries }) => {
    const title = nameOf(cluster, entries[0]!.item);
    const fields = entries.length > 4 ? `${entries.length} fields` : entries.map(({ field }) => field).join(", ");
    const adopted = adoptKeyFile && entries.some(({ field }) => field === AGE_KEY.field) ? `, the key of ${env.SOPS_AGE_KEY_FILE}` : "";
    return `${id === undefined ? "create item" : "add to item"} ${title}: ${fields}${adopted}`;
  });
  return [
    ...lines,
    ...(writeRecipient ? ["write .sops.yaml: the age key's recipient in place of the placeholder; other recipients stay"] : []),
  ];
}

const stepsOf = ({ writes, writeRecipient }: SecretsPlan): Step[] => [
  ...writes.flatMap(({ title, entries }) => entries.map(({ field }) => ({ action: `create ${field} in item`, target: title }))),
  ...(writeRecipient ? [{ action: "write the recipient to", target: ".sops.yaml" }] : []),
];

/** Looks at the item once more, writes it with the template on stdin, and asks the vault what it holds now. */
async function store(context: Context, { vault, title, id, entries }: Write, facts: Facts, keyFile: string | undefined): Promise<void> {
  const { versions, ui } = context;
  ui.progress(`creating ${title}`);
  const values = await makeValues(entries, { versions, keyFile });
  const before = await current(title, vault);
  if (before?.id !== id || JSON.stringify(before?.fields) !== JSON.stringify(facts.items.get(placeIn(vault, title))?.fields)) {
    throw new Failure({
      attempted: `store ${title} in vault ${vault}`,
      said: "somebody changed the item since it was read",
      now: "that item was not touched",
      next: AGAIN,
    });
  }
  const input = before ? withFields(before, values) : newItem(title, values);
  const written = before
    ? await $({ input, timeout: "1m" })`cat | op item edit ${before.id} --vault ${vault} --format=json`.nothrow()
    : await $({ input, timeout: "1m" })`cat | op item create - --vault ${vault} --format=json`.nothrow();
  if (written.exitCode !== 0) {
    const attempted = `store ${title} in vault ${vault}`;
    const ending = { text: written.stderr, exitCode: written.exitCode, signal: written.signal };
    throw troubleOf(ending, attempted) ?? new Failure({ attempted, said: plain(written.stderr), next: AGAIN });
  }
  const after = await read(
    { id: before?.id ?? readJson<Listed>(written.stdout, { command: "op item create", secret: true }, { id: "" }).id, title },
    vault,
  );
  const wrong = differences(before, values, after);
  if (wrong.length > 0)
    throw new Failure({
      attempted: `store ${title} in vault ${vault}`,
      said: `afterwards the vault does not hold what it should in ${wrong.join(", ")}`,
      next: "look at the item's history in the 1Password app",
    });
  ui.say(`${before ? "completed" : "created"} ${title}: ${entries.length === 1 ? entries[0]!.field : `${entries.length} fields`}`);
}

async function current(title: string, vault: string): Promise<StoredItem | undefined> {
  const [found, ...more] = (await listItems(vault)).filter((item) => item.title === title);
  if (more.length > 0)
    throw new Failure({
      attempted: `read item ${title} of vault ${vault}`,
      said: `more than one item is called ${title}`,
      next: "archive all but one in the 1Password app, then: task secrets:init",
    });
  return found && read(found, vault);
}

/** The recipient of the key that the vault holds by now. */
async function nameRecipient({ cluster, ui }: Context, file: string): Promise<void> {
  const { items } = cluster.onepassword;
  const vault = vaultOf(cluster, AGE_KEY.item);
  const [recipient] = await recipientsOfKeys(valueOf(await current(items[AGE_KEY.item], vault), AGE_KEY.field) ?? "");
  if (!recipient) throw new Failure({ attempted: `write ${file}`, said: `item ${items[AGE_KEY.item]} holds no age identity`, next: AGAIN });
  await writeFile(file, await withRecipient((await readIfThere(file))!, recipient));
  ui.say(`.sops.yaml encrypts for ${recipient} from now on: commit it`);
}

/** What is there, what was made, and what only a person can fetch. */
function report({ cluster, ui, dryRun }: Context, { writes, fetch, there }: SecretsPlan): void {
  const { items } = cluster.onepassword;
  const made = writes.flatMap(({ vault, title, entries }) => entries.map(({ field }) => ({ vault, item: title, field })));
  const value = {
    there: there.length,
    [dryRun ? "toCreate" : "created"]: made,
    fetch: fetch.map(({ item, field, purpose, now, source }) => ({
      vault: vaultOf(cluster, item),
      item: items[item],
      field,
      purpose,
      now,
      ...("person" in source && source.person),
    })),
  };
  if (fetch.length === 0) return ui.result(value, "nothing is left for you to fetch");
  ui.result(
    value,
    `Only you can fetch these; put them into ${vaultsInWords(cluster)} under these names, then: task secrets:check\n\n${fetchList(fetch, cluster)}`,
  );
}

await main(import.meta, secretsInit);
