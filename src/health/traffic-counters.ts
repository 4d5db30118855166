/**
 * What a proxy has counted for one server, all its life: a server's row of HAProxy's `show stat` (3.0.11). A request that
 * got no answer is in neither count: it is in `stot`, and in `eresp` or `econ` once for each attempt, healed ones too.
 */
export interface Counters {
  /** answers of any status: `req_tot` */
  readonly requests: number;
  /** those of them that were 5xx: `hrsp_5xx` */
  readonly errors: number;
  /** `rtime`: whole milliseconds to the answer's head, a mean of the newest requests as `meanSince` knows it */
  readonly meanTime: number;
}

/** One server's counters, oldest first, read at one interval. */
export type Readings = readonly Counters[];

export interface Served {
  readonly requests: number;
  readonly errors: number;
}

/** undefined = a counter went backwards: the proxy began anew, and what it had counted is lost */
export function servedIn(readings: Readings): Served | undefined {
  const lost = readings.some((now, index) => {
    const before = readings[index - 1];
    return before !== undefined && (now.requests < before.requests || now.errors < before.errors);
  });
  const [first, last] = [readings[0], readings.at(-1)];
  if (lost) return undefined;
  if (!first || !last) return { requests: 0, errors: 0 };
  return { requests: last.requests - first.requests, errors: last.errors - first.errors };
}

const MEMORY = 512; // HAProxy 3.0, TIME_STATS_SAMPLES (its manual says 1,024)

/**
 * The mean time of the requests between two readings, in milliseconds. HAProxy keeps one sum for each server: up to 512
 * requests it is plain; then each new one first takes 1/512 of it away (`swrate_add_dynamic` in freq_ctr.h). So what was
 * counted before, which may be another release's, is taken out again. The whole milliseconds of `rtime` leave an error
 * of up to 512 ms divided by the requests between the readings. At least one request must lie between them.
 */
export function meanSince(before: Counters, now: Counters): number {
  const plain = Math.max(0, Math.min(now.requests, MEMORY) - before.requests);
  const fading = now.requests - before.requests - plain;
  const kept = (1 - 1 / MEMORY) ** fading;
  const weight = plain * kept + MEMORY * (1 - kept);
  return Math.max(0, (sumOf(now) - kept * sumOf(before)) / weight);
}

const sumOf = ({ requests, meanTime }: Counters): number => meanTime * Math.min(requests, MEMORY);
