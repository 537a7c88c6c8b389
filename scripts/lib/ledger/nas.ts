// VMs and zvols that a run of vm:deploy began and did not finish.
import type { Context } from "../run/context.ts";
import { connectNas, type Nas } from "../truenas/nas.ts";
import { describe, judgeEntries, seeNasEntries, undoEntries } from "../truenas/undo.ts";
import type { Room } from "./kinds.ts";

export const nasLeftovers: Room = {
  kinds: ["vm", "zvol"],
  see: (entries, context, chosen) =>
    withNas(context, async (nas) =>
      judgeEntries(entries, await seeNasEntries(nas, entries), { chosen }).map((sight) => ({
        ...sight,
        ...(sight.verdict === "safe" && { destroys: describe(sight.entry) }),
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
