// Fills the empty vault of a new fork: creates the secrets that can be created, never overwrites one, and lists those that only a person can fetch.
import { join } from "node:path";
import type { Context } from "../lib/run/context.ts";
import { Failure, UsageError } from "../lib/run/errors.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Listed } from "../lib/secrets/op.ts";
import type { Facts, Write } from "../lib/secrets/plan.ts";
import type { HomeSecrets } from "../lib/secrets/tree.ts";
import { toAct } from "../lib/run/to-act.ts";

const { operatorVaultOf } = await toAct(() => import("../lib/cluster/cluster.ts"));
const { readIfThere, writeFile } = await toAct(() => import("../lib/run/files.ts"));
const { withRecipient } = await toAct(() => import("../lib/tree/sops.ts"));
const { AGE_KEY, recipientsOfKeys } = await toAct(() => import("../lib/secrets/age.ts"));
const { currentItem, readFacts, readItem } = await toAct(() => import("../lib/secrets/facts.ts"));
const { differences, newItem, valueOf, withFields } = await toAct(() => import("../lib/secrets/items.ts"));
const { makeValues } = await toAct(() => import("../lib/secrets/make.ts"));
const { modeOf } = await toAct(() => import("../lib/secrets/mode.ts"));
const { expectOp, whoIsSignedIn } = await toAct(() => import("../lib/secrets/op.ts"));
const { planSecrets } = await toAct(() => import("../lib/secrets/plan.ts"));
const { secretsOfHome } = await toAct(() => import("../lib/secrets/tree.ts"));
const { plain, troubleOf } = await toAct(() => import("../lib/secrets/op-error.ts"));
const { placeIn, vaultsInWords } = await toAct(() => import("../lib/secrets/vaults.ts"));
const { describe, report, stepsOf, warningsOf } = await toAct(() => import("../lib/secrets/messages.ts"));
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

    const secrets = await secretsOfHome(root, cluster);
    const { plan, facts, steps, warnings } = await context.confirm(async () => {
      const seen = await readFacts(context, secrets);
      const decided = planSecrets(secrets.entries, cluster, seen);
      if (decided.contradictions.length > 0)
        throw new Failure({
          attempted: "plan the secrets",
          said: decided.contradictions.join("\n"),
          now: "nothing was changed",
          next: AGAIN,
        });
      if (dryRun) report(context, decided);
      const warnings = warningsOf(decided, secrets);
      return {
        title: `create secrets in ${vaultsInWords(cluster)}; existing ones are not changed`,
        lines: [...warnings.map((line) => `warning: ${line}`), ...describe(decided, context)],
        warnings,
        steps: stepsOf(decided),
        plan: decided,
        facts: seen,
      };
    });
    if (steps.length === 0) {
      warnings.forEach(ui.warn);
      if (!dryRun) report(context, plan);
      return ui.say("nothing to create: everything that can be created exists");
    }
    const keyFile = plan.adoptKeyFile ? await readIfThere(env.SOPS_AGE_KEY_FILE!) : undefined;
    for (const write of plan.writes) await store(context, write, { facts, known: secrets.known, keyFile });
    if (plan.writeRecipient) await nameRecipient(context, join(root, ".sops.yaml"), secrets);
    report(context, plan);
  },
});

/** Reads the item again, writes it with the template on stdin, and compares what the vault then contains. */
async function store(
  { versions, ui }: Context,
  { vault, title, id, entries }: Write,
  { facts, known, keyFile }: { facts: Facts; known: HomeSecrets["known"]; keyFile: string | undefined },
): Promise<void> {
  ui.progress(`creating ${title}`);
  const values = await makeValues(entries, { versions, keyFile });
  const before = await currentItem(title, vault, known);
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
  const after = await readItem(
    { id: before?.id ?? readJson<Listed>(written.stdout, { command: "op item create", secret: true }, { id: "" }).id, title },
    vault,
    known,
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

/** Writes the recipient of the key in the vault into .sops.yaml. */
async function nameRecipient({ cluster, ui }: Context, file: string, { known }: HomeSecrets): Promise<void> {
  const { items } = cluster.onepassword;
  const vault = operatorVaultOf(cluster);
  const [recipient] = await recipientsOfKeys(valueOf(await currentItem(items[AGE_KEY.item], vault, known), AGE_KEY.field) ?? "");
  if (!recipient) throw new Failure({ attempted: `write ${file}`, said: `item ${items[AGE_KEY.item]} holds no age identity`, next: AGAIN });
  await writeFile(file, await withRecipient((await readIfThere(file))!, recipient));
  ui.say(`.sops.yaml encrypts for ${recipient} from now on: commit it`);
}

await main(import.meta, secretsInit);
