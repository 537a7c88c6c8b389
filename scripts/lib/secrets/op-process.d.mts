import type { OpAccount } from "./op-calls.ts";

export function perform(method: string, args: unknown[]): Promise<unknown>;
export function accountOf(error: unknown): OpAccount;
