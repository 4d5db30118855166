/** So many tries, each a hit with the chance `each` (0 to 1). */
export interface Tries {
  readonly count: number;
  readonly each: number;
}

/** The chances of `from`, `from` + 1, ... hits. */
interface Distribution {
  readonly from: number;
  readonly chances: Float64Array;
}

const NEGLIGIBLE = 1e-20; // far below any chance that decides something

/** The chance of at least `least` hits in all of these tries together, exact but for what is negligible. */
export function chanceOfAtLeast(least: number, ...tries: readonly Tries[]): number {
  const { from, chances } = tries.map(binomial).reduce(together, { from: 0, chances: Float64Array.of(1) });
  const tail = chances.subarray(Math.max(0, least - from)).reduce((total, chance) => total + chance, 0);
  return Math.min(1, tail);
}

/** The chances of each number of hits, multiplied up as logarithms: the first of many tries would be 0 otherwise. */
function binomial({ count, each }: Tries): Distribution {
  if (each <= 0 || each >= 1) return { from: each > 0 ? count : 0, chances: Float64Array.of(1) };
  const odds = Math.log(each) - Math.log1p(-each);
  let logarithm = count * Math.log1p(-each);
  const chances = new Float64Array(count + 1);
  chances[0] = Math.exp(logarithm);
  for (let hits = 1; hits <= count; hits += 1) {
    logarithm += Math.log(count - hits + 1) - Math.log(hits) + odds;
    chances[hits] = Math.exp(logarithm);
  }
  return trimmed(0, chances);
}

/** Of the sum of two independent numbers. */
function together(some: Distribution, others: Distribution): Distribution {
  const chances = new Float64Array(some.chances.length + others.chances.length - 1);
  for (const [n, one] of some.chances.entries())
    for (let m = 0; m < others.chances.length; m += 1)
      chances[n + m] = (chances[n + m] ?? 0) + one * (others.chances[m] ?? 0);
  return trimmed(some.from + others.from, chances);
}

/** Without the negligible ends: a deploy to a hundred hosts adds up hundreds of these at each look. */
function trimmed(from: number, chances: Float64Array): Distribution {
  const first = chances.findIndex((chance) => chance > NEGLIGIBLE);
  const last = chances.findLastIndex((chance) => chance > NEGLIGIBLE);
  return { from: from + first, chances: chances.slice(first, last + 1) };
}
