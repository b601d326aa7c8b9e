/** A number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

const DAY_MS = 24 * 60 * 60 * 1000;

/** How much is bought on a weekday, Sunday first. */
const WEEKDAY_WEIGHTS = [1.25, 0.85, 0.8, 0.85, 0.95, 1.15, 1.35];
/** How much more is bought at the end of the period than at its start. */
const GROWTH = 0.6;
const NIGHT_ENDS_AT_HOUR = 6;

/** Draws an index by weight. */
export function weightedIndex(weights: readonly number[], random: Random): () => number {
  const cumulated: number[] = [];
  let total = 0;
  for (const weight of weights) {
    total += weight;
    cumulated.push(total);
  }
  return () => lowerBound(cumulated, random() * total);
}

/** Draws ranks 0 to count-1, rank r with weight 1/(r+1)^exponent (Zipf's law). */
export function zipf(count: number, exponent: number, random: Random): () => number {
  return weightedIndex(
    Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent),
    random,
  );
}

/** Draws a log-normal number; `sigma` is the deviation of its logarithm. */
export function logNormal(median: number, sigma: number, random: Random): number {
  // Box and Muller's transform; 1 - random() is never 0.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

/** Draws moments of the `days` days before `until`: more at week-ends, in the evening and lately. */
export function shoppingTimes(until: Date, days: number, random: Random): () => Date {
  const start = until.getTime() - days * DAY_MS;
  const weights = Array.from({ length: days }, (_, day) => {
    const weekday = new Date(start + day * DAY_MS).getUTCDay();
    return (WEEKDAY_WEIGHTS[weekday] ?? 1) * (1 + (GROWTH * day) / days);
  });
  const day = weightedIndex(weights, random);
  return () => {
    // The larger of two draws: few in the morning, most in the evening.
    const hour =
      NIGHT_ENDS_AT_HOUR + (24 - NIGHT_ENDS_AT_HOUR) * Math.max(random(), random()) - 1 / 3_600_000;
    const drawn = day();
    const midnight = Math.floor((start + drawn * DAY_MS) / DAY_MS) * DAY_MS;
    return new Date(Math.min(Math.max(midnight + hour * 3_600_000, start), until.getTime()));
  };
}

/** The first index whose value is above `wanted`. */
function lowerBound(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
