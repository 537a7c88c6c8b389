// Every map inside a value, with the path to it: charts put annotations and routes where they like.

/** Every map in an object, with its path. */
export function* mapsIn(
  value: unknown,
  path: (string | number)[] = [],
): Generator<{ map: Record<string, unknown>; path: (string | number)[] }> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { map: value as Record<string, unknown>, path };
  for (const [key, one] of Object.entries(value)) yield* mapsIn(one, [...path, Array.isArray(value) ? Number(key) : key]);
}
