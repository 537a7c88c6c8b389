// Go's durations: `1h30m`, `90s`.
const SECONDS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of a duration; `otherwise` where there is none or it cannot be read. */
export function secondsOf(text: unknown, otherwise: number): number {
  if (typeof text !== "string" || !/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return otherwise;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit!]!, 0);
}

/** `2m`, `1h30m`, `45s`: what a person would write. */
export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return `${h ? `${h}h` : ""}${m ? `${m}m` : ""}${s || whole === 0 ? `${s}s` : ""}`;
}
