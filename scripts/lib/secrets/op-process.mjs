// 1Password's package in a process of its own: it runs `op` synchronously, so in our process a hanging `op` would block Ctrl-C and every deadline.
// It answers one message at a time, and ends when its parent does. Its stdout goes nowhere: op-js prints answers there that it cannot parse, secrets included.
// @ts-check
import { fileURLToPath } from "node:url";

/** @param {string} method  @param {unknown[]} args */
export async function perform(method, args) {
  const op = /** @type {Record<string, any>} */ ((await import("@1password/op-js")).default);
  const [group = "", name] = method.split(".");
  const act = name === undefined ? op[group] : op[group][name];
  return act(...args);
}

/** What an error is to the parent: op-js keeps op's own words in `originalMessage`; `isUnreadable` says that op's answer was no JSON. @param {any} error */
export const accountOf = (error) => ({
  message: String(error?.message ?? error),
  originalMessage: error?.originalMessage,
  status: error?.status,
  isUnreadable: error instanceof SyntaxError,
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on("message", async (/** @type {{ method: string, args: unknown[] }} */ { method, args }) => {
    try {
      process.send?.({ value: await perform(method, args) });
    } catch (error) {
      process.send?.({ error: accountOf(error) });
    }
  });
  process.on("disconnect", () => process.exit());
}
