// What no run may ever do: connect to another machine, ask a host that is not simulated, or put a secret in the wrong place.
import { askHome } from "../simulators/control.ts";
import { finderOf } from "../simulators/evidence/forms.ts";
import type { Ran } from "./day.ts";

/** All violations of these runs, a line each; none after a correct run. */
export async function violationsOf(folder: string, runs: Ran[]): Promise<string[]> {
  const { refused, unexpected } = (await askHome(folder, "evidence")) as { refused: unknown[]; unexpected: unknown[] };
  const taint = (await askHome(folder, "taint")) as { where: string; secret: string }[];
  const { values } = (await askHome(folder, "secrets")) as { values: { where: string; value: string }[] };
  const finders = values.filter(({ value }) => value.length >= 8).map(({ where, value }) => ({ where, isIn: finderOf(value) }));
  const printed = runs.flatMap(({ name, stdout, stderr }) =>
    finders.filter(({ isIn }) => isIn(stdout) || isIn(stderr)).map(({ where }) => `${name} printed the secret ${where}`),
  );
  return [
    ...refused.map((one) => `a connection left this machine: ${JSON.stringify(one)}`),
    ...unexpected.map((one) => `a request went to a host that is not simulated: ${JSON.stringify(one)}`),
    ...taint.map(({ where, secret }) => `the secret ${secret} was found in ${where}`),
    ...printed,
  ];
}
