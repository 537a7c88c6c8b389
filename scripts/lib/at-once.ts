// So many things side by side as a laptop can do: each node's turn is a process or two, and fifty of them at once leave none enough time to answer in.

const AT_ONCE = 8;

/** The answers of `one` for each of them, in their order; a few are under way at any time. The first failure is thrown. */
export async function eachOf<T, R>(all: readonly T[], one: (item: T) => Promise<R>): Promise<R[]> {
  if (all.length <= AT_ONCE) return Promise.all(all.map((item) => one(item)));
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(AT_ONCE);
  return Promise.all(all.map((item) => limit(() => one(item))));
}
