/** So many tries, each a hit with the chance `each` (0 to 1). */
export interface Tries {
  readonly count: number;
  readonly each: number;
}

type Distribution = readonly { readonly hits: number; readonly chance: number }[];

const NEGLIGIBLE = 1e-20; // far below any chance that decides something

/** The chance of at least `least` hits in all of these tries together, exact but for what is negligible. */
export function chanceOfAtLeast(least: number, ...tries: readonly Tries[]): number {
  const sum = tries.map(binomial).reduce(together, [{ hits: 0, chance: 1 }]);
  const tail = sum.filter(({ hits }) => hits >= least).reduce((total, { chance }) => total + chance, 0);
  return Math.min(1, tail);
}

/** The chances of each number of hits, multiplied up as logarithms: the first of many tries would be 0 otherwise. */
function binomial({ count, each }: Tries): Distribution {
  if (each <= 0 || each >= 1) return [{ hits: each > 0 ? count : 0, chance: 1 }];
  const odds = Math.log(each) - Math.log1p(-each);
  let logarithm = count * Math.log1p(-each);
  const chances = [{ hits: 0, chance: Math.exp(logarithm) }];
  for (let hits = 1; hits <= count; hits += 1) {
    logarithm += Math.log(count - hits + 1) - Math.log(hits) + odds;
    chances.push({ hits, chance: Math.exp(logarithm) });
  }
  return chances.filter(({ chance }) => chance > NEGLIGIBLE);
}

/** Of the sum of two independent numbers. */
function together(some: Distribution, others: Distribution): Distribution {
  const sums = new Map<number, number>();
  for (const one of some)
    for (const other of others) {
      const hits = one.hits + other.hits;
      sums.set(hits, (sums.get(hits) ?? 0) + one.chance * other.chance);
    }
  return [...sums].map(([hits, chance]) => ({ hits, chance }));
}
