import { expect, test } from "vitest";
import { eachOf } from "../../../scripts/lib/at-once.ts";

/** Fifty turns, of which `running` are under way; each takes a few turns of the event loop. */
async function fifty(fails?: number) {
  let [running, most] = [0, 0];
  const answers = eachOf(
    Array.from({ length: 50 }, (_, at) => at),
    async (at) => {
      most = Math.max(most, (running += 1));
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
      running -= 1;
      if (at === fails) throw new Error(`no ${at}`);
      return `n${at}`;
    },
  );
  return { answers: await answers, most };
}

test("of many, eight are under way at a time, and the answers are in order", async () => {
  const { answers, most } = await fifty();
  expect([most, answers[0], answers[49], answers.length]).toEqual([8, "n0", "n49", 50]);
});

test("a few are all under way at once", async () => {
  const order: string[] = [];
  await eachOf([1, 2, 3], async (one) => {
    order.push(`begins ${one}`);
    await Promise.resolve();
    order.push(`ends ${one}`);
  });
  expect(order.slice(0, 3)).toEqual(["begins 1", "begins 2", "begins 3"]);
});

test("the first failure is thrown", async () => {
  await expect(fifty(20)).rejects.toThrow("no 20");
});
