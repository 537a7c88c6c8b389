// The installed talosctl: what its version can do.
import type { Context } from "../run/context.ts";
import { Failure, textOf } from "../run/errors.ts";
import { ask } from "../run/shell.ts";

const known = new WeakMap<object, Promise<boolean>>();

/** Whether `get --insecure` takes `--cert-fingerprint`: since 1.14. `apply-config` has it in every supported version. Asked once a run. */
export function canPinReads({ env }: Pick<Context, "env">): Promise<boolean> {
  let answer = known.get(env);
  if (!answer) known.set(env, (answer = lookAtVersion()));
  return answer;
}

async function lookAtVersion(): Promise<boolean> {
  const got = await ask({ timeout: "15s" })`talosctl version --client --short`.nothrow();
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(got.stdout) ?? [];
  if (got.exitCode !== 0 || minor === undefined)
    throw new Failure({ attempted: "read the version of talosctl", said: textOf(got), next: "mise install" });
  return Number(major) > 1 || Number(minor) >= 14;
}
