// VMs and zvols that vm:deploy created and did not finish.
import type { Context } from "../run/context.ts";
import { connectNas, type Nas } from "./nas.ts";
import { describe, leftoversOf, readNasFacts, undoEntries } from "./undo.ts";
import type { KindHandler } from "../ledger/leftover.ts";

export const nasLeftovers: KindHandler = {
  kinds: ["vm", "zvol"],
  observe: (entries, context, chosen) =>
    withNas(context, async (nas) =>
      leftoversOf(entries, await readNasFacts(nas, entries), { chosen }).map((one) => ({
        ...one,
        ...(one.verdict === "safe" && { destroys: describe(one.entry) }),
      })),
    ),
  undo: (entries, context, confirmed) => withNas(context, (nas) => undoEntries({ ...context, nas }, entries, confirmed)),
};

async function withNas<T>(context: Context, use: (nas: Nas) => Promise<T>): Promise<T> {
  const nas = await connectNas(context);
  try {
    return await use(nas);
  } finally {
    await nas.close();
  }
}
