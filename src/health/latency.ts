/** The value that `percent` per cent of the values do not exceed (nearest rank). @throws on no values */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent * sorted.length) / 100) - 1)];
  if (value === undefined) throw new RangeError("There is no percentile of no values.");
  return value;
}

/** What people choose limits from; the last bucket has no end. */
const bounds = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, Number.POSITIVE_INFINITY];

export interface Bucket {
  /** milliseconds; `from` belongs to it, `below` does not */
  readonly from: number;
  readonly below: number;
  readonly count: number;
}

/** How many values fall between which bounds: from the first bucket that has one to the last. */
export function histogram(values: readonly number[]): Bucket[] {
  const buckets = bounds.map((below, index) => {
    const from = bounds[index - 1] ?? 0;
    return { from, below, count: values.filter((value) => value >= from && value < below).length };
  });
  const filled = (bucket: Bucket) => bucket.count > 0;
  return buckets.slice(Math.max(0, buckets.findIndex(filled)), buckets.findLastIndex(filled) + 1);
}

export interface Latencies {
  readonly answers: number;
  readonly p50: number;
  readonly p95: number;
  readonly buckets: readonly Bucket[];
}

/** undefined = there are none */
export const latenciesOf = (values: readonly number[]): Latencies | undefined =>
  values.length === 0
    ? undefined
    : {
        answers: values.length,
        p50: percentile(values, 50),
        p95: percentile(values, 95),
        buckets: histogram(values),
      };
