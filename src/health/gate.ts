import { unlessAborted } from "./attempt";

export interface Clock {
  /** monotonic milliseconds */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export type Standing = "right" | "wrong" | "blind";

/** What one look at a server came to. Blind = nothing is known about the server, for a reason on this side. */
export interface Observation {
  readonly standing: Standing;
  /** a sentence's end: "status 500 in 12 ms" */
  readonly seen: string;
  readonly milliseconds: number;
  /** it was given less than its usual time, and that is what ended it: it says nothing, unless there is nothing else */
  readonly cutShort?: boolean;
}

/** Looks once; it gets the milliseconds that the gate has left. What it throws is told as wrong. */
export type Probe = (timeLeft: number) => Promise<Observation>;

/** What the gate saw; `lastSeen` is a sentence's end. */
export interface Seen {
  readonly probes: number;
  readonly wrong: number;
  readonly blind: number;
  readonly rightInARow: number;
  /** the blind ones too */
  readonly wrongInARow: number;
  readonly lastSeen: string;
  /** when the last look began */
  readonly lastAt: number;
}

type Tally = { -readonly [Name in keyof Seen]: Seen[Name] };

export type Status = "healthy" | "unhealthy" | "inconclusive";

/** Unhealthy if any is, else inconclusive if any is. */
export function together(statuses: readonly Status[]): Status {
  return (["unhealthy", "inconclusive"] as const).find((status) => statuses.includes(status)) ?? "healthy";
}

export interface Verdict {
  readonly status: Status;
  readonly seen: Seen;
  /** '' when it is healthy */
  readonly why: string;
}

/** From one look's start to the next one's. */
export interface Pace {
  readonly interval: (seen: Seen) => number;
  /** the shortest of these */
  readonly shortest: number;
  /** the pause that there is in any case, however long a look takes: a share of the interval */
  readonly rest: number;
}

export const EAGER_INTERVAL = 50; // milliseconds, where a person waits
const LONGEST_BACKOFF = 30_000;

/** Eager until the first right answer, then in the interval: what waits is a person, what answers is one's own host. */
export function eagerPace(interval: number): Pace {
  const eager = Math.min(EAGER_INTERVAL, interval);
  return { interval: ({ rightInARow }) => (rightInARow === 0 ? eager : interval), shortest: eager, rest: 0.2 };
}

export const steadyPace = (interval: number, rest = 0): Pace => ({
  interval: () => interval,
  shortest: interval,
  rest,
});

/** Doubles after each look that was not right, up to 30 s. */
export function backingOffPace(interval: number): Pace {
  const longest = Math.max(interval, LONGEST_BACKOFF);
  const after = ({ wrongInARow }: Seen) => Math.min(interval * 2 ** Math.max(0, wrongInARow - 1), longest);
  return { interval: after, shortest: interval, rest: 0 };
}

interface BecomeRules {
  readonly pace: Pace;
  /** right answers in a row that make it healthy */
  readonly threshold: number;
  readonly limit: number;
  /** why this row of right answers' milliseconds is not good enough; undefined = it is */
  readonly tooSlow?: (row: readonly number[]) => string | undefined;
}

/**
 * Probes until `threshold` answers in a row are right, or `limit` milliseconds are over. A pause that would reach past
 * the end is cut so that a last look is made; when none fits in any more, the end is not waited for.
 */
export async function becomesHealthy(
  probe: Probe,
  rules: BecomeRules,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const { pace, threshold } = rules;
  const deadline = clock.now() + rules.limit;
  const seen = newTally();
  let row: number[] = [];
  let slow: string | undefined;
  while (clock.now() < deadline) {
    const { standing, milliseconds, cutShort } = await observe(probe, deadline, seen, clock, signal);
    if (cutShort) break; // nothing is left of the time
    row = standing === "right" ? [...row, milliseconds].slice(-threshold) : [];
    slow = row.length < threshold ? undefined : rules.tooSlow?.(row);
    if (row.length >= threshold && slow === undefined) return { status: "healthy", seen, why: "" };
    const now = clock.now();
    const due = dueAt(pace, seen, now);
    const least = seen.rightInARow > 0 ? pace.interval(seen) : pace.shortest; // no row is made in less time than it takes
    const next = due < deadline ? due : deadline - least;
    if (next < Math.max(seen.lastAt + least, now)) break;
    await clock.sleep(next - now, signal);
  }
  signal.throwIfAborted();
  const lacking = slow ?? (row.length > 0 ? `only ${row.length} of ${threshold} right answers in a row` : "");
  const why = `it did not become healthy within ${rules.limit / 1000} s${lacking && ` (${lacking})`}`;
  return { status: seen.blind > 0 && seen.wrong === 0 && !slow ? "inconclusive" : "unhealthy", seen, why };
}

interface StayRules {
  readonly pace: Pace;
  readonly span: number;
  /** when it was last right: the span and the first interval begin there, and the last look is at the end; left out = looks at once */
  readonly since?: number;
  /** why it is healthy no more; undefined = it is */
  readonly broken: (seen: Seen) => string | undefined;
  /** a wrong answer at the end is asked about until it is known what it was */
  readonly settles?: boolean;
}

/** Probes for `span` milliseconds, or until it is `broken`. */
export async function staysHealthy(
  probe: Probe,
  rules: StayRules,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const end = (rules.since ?? clock.now()) + rules.span;
  const seen = newTally(rules.since);
  const pause = () => {
    const now = clock.now();
    return clock.sleep(Math.max(0, Math.min(dueAt(rules.pace, seen, now), end) - now), signal);
  };
  do {
    if (rules.since !== undefined) await pause();
    await observe(probe, Number.POSITIVE_INFINITY, seen, clock, signal);
    const why = rules.broken(seen);
    if (why !== undefined) return { status: "unhealthy", seen, why };
    if (rules.since === undefined) await pause();
  } while (end - clock.now() >= 1 || (rules.settles && seen.wrongInARow > 0)); // a timer may fire a moment early
  return { status: "healthy", seen, why: "" };
}

const newTally = (lastAt = 0): Tally => ({
  probes: 0,
  wrong: 0,
  blind: 0,
  rightInARow: 0,
  wrongInARow: 0,
  lastSeen: "nothing yet",
  lastAt,
});

function dueAt(pace: Pace, seen: Seen, now: number): number {
  const wait = pace.interval(seen);
  return Math.max(seen.lastAt + wait, now + wait * pace.rest);
}

async function observe(
  probe: Probe,
  deadline: number,
  seen: Tally,
  clock: Clock,
  signal: AbortSignal,
): Promise<Observation> {
  signal.throwIfAborted();
  seen.probes += 1;
  seen.lastAt = clock.now();
  const observation: Observation = await unlessAborted(probe(deadline - seen.lastAt), signal).catch((error: Error) => {
    signal.throwIfAborted();
    return { standing: "wrong", seen: error.message, milliseconds: clock.now() - seen.lastAt } as const;
  });
  if (observation.cutShort && seen.probes > 1) return observation;
  const right = observation.standing === "right";
  seen.lastSeen = observation.seen;
  seen.rightInARow = right ? seen.rightInARow + 1 : 0;
  seen.wrongInARow = right ? 0 : seen.wrongInARow + 1;
  if (!right) seen[observation.standing] += 1;
  return observation;
}
