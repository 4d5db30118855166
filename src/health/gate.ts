import type { HttpAnswer } from "./http";

/** What an HTTP check expects of an answer. */
export interface Expectation {
  readonly status: readonly { readonly from: number; readonly to: number }[];
  readonly body: RegExp | undefined;
  /** a header that must have this very value: which release answered */
  readonly header?: { readonly name: string; readonly value: string } | undefined;
}

/** One observation of a gate. */
export type Probe = () => Promise<HttpAnswer>;

export interface Clock {
  /** monotonic milliseconds */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** What the gate saw; `lastSeen` is a sentence's end: "500 Internal Server Error in 12 ms". */
export interface Seen {
  readonly probes: number;
  readonly lastSeen: string;
}

export type Verdict =
  | { readonly healthy: true; readonly seen: Seen }
  | { readonly healthy: false; readonly seen: Seen; readonly why: string };

export interface Pace {
  readonly interval: number;
  readonly threshold: number;
}

const EAGER_INTERVAL = 50; // until the first answer that is right: the time to it is what a person waits for

/** undefined = as expected; else what differs, as the end of a sentence. */
export function mismatch(answer: HttpAnswer, expected: Expectation): string | undefined {
  if (!expected.status.some(({ from, to }) => answer.status >= from && answer.status <= to)) {
    return `status ${answer.status}${answer.body ? `, body "${answer.body.slice(0, 200)}"` : ""}`;
  }
  if (expected.body && !expected.body.test(answer.body)) {
    return `status ${answer.status}, but the body does not match ${expected.body}: "${answer.body.slice(0, 200)}"`;
  }
  if (expected.header && answer.headers[expected.header.name.toLowerCase()] !== expected.header.value) {
    const got = answer.headers[expected.header.name.toLowerCase()];
    return `status ${answer.status}, but ${expected.header.name} is "${String(got ?? "missing")}", not "${expected.header.value}"`;
  }
  return undefined;
}

/**
 * Probes until `threshold` answers in a row are right, or `limit` milliseconds are over. The pace is from one probe's start
 * to the next one's, so that a long wire makes no longer wait; a fifth of it is a pause in any case.
 */
export async function becomesHealthy(
  probe: Probe,
  expected: Expectation,
  pace: Pace & { readonly limit: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const deadline = clock.now() + pace.limit;
  const seen = { probes: 0, lastSeen: "nothing yet" };
  let inARow = 0;
  while (clock.now() < deadline) {
    const probedAt = clock.now();
    const wrong = await observe(probe, expected, seen, signal);
    inARow = wrong === undefined ? inARow + 1 : 0;
    if (inARow >= pace.threshold) return { healthy: true, seen };
    const wait = inARow === 0 ? Math.min(EAGER_INTERVAL, pace.interval) : pace.interval;
    const next = Math.max(probedAt + wait, clock.now() + wait / 5);
    await clock.sleep(Math.max(0, Math.min(next, deadline) - clock.now()), signal);
  }
  signal.throwIfAborted();
  return { healthy: false, seen, why: `it did not become healthy within ${pace.limit / 1000} s` };
}

/** Probes for `span` milliseconds; `threshold` wrong answers in a row end it. */
export async function staysHealthy(
  probe: Probe,
  expected: Expectation,
  pace: Pace & { readonly span: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const end = clock.now() + pace.span;
  const seen = { probes: 0, lastSeen: "nothing yet" };
  let wrongInARow = 0;
  do {
    const wrong = await observe(probe, expected, seen, signal);
    wrongInARow = wrong === undefined ? 0 : wrongInARow + 1;
    if (wrongInARow >= pace.threshold) return { healthy: false, seen, why: `${wrongInARow} wrong answers in a row` };
    await clock.sleep(Math.min(pace.interval, Math.max(0, end - clock.now())), signal);
  } while (end - clock.now() >= 1 || wrongInARow > 0); // a timer may fire a moment early
  return { healthy: true, seen };
}

async function observe(
  probe: Probe,
  expected: Expectation,
  seen: { probes: number; lastSeen: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  seen.probes += 1;
  try {
    const answer = await unlessAborted(probe(), signal);
    const wrong = mismatch(answer, expected);
    seen.lastSeen = wrong ?? `status ${answer.status} in ${Math.round(answer.milliseconds)} ms`;
    return wrong;
  } catch (error) {
    signal.throwIfAborted();
    seen.lastSeen = (error as Error).message;
    return seen.lastSeen;
  }
}

/** Hears an abort at once: a probe of a container that has ended hangs until its timeout. */
function unlessAborted<T>(what: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    what.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** "status 200-299 and a body that matches /ok/", for evidence and failures. */
export function describeExpectation(expected: Expectation): string {
  const ranges = expected.status.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
  const body = expected.body ? `, a body that matches ${expected.body}` : "";
  const header = expected.header ? `, ${expected.header.name}: ${expected.header.value}` : "";
  return `status ${ranges}${body}${header}`;
}
