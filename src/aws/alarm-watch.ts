import { unlessAborted } from "../health/attempt";
import type { Clock } from "../health/gate";
import type { Judgement } from "../health/judgement";
import { judgeAlarms, withoutRecovered } from "./alarm-verdict";
import { type AlarmSnapshot, type AlarmSource, readAlarms } from "./alarms";
import { reasonOf } from "./one-line";

const INTERVAL = 10_000; // milliseconds; no alarm is evaluated more often
const READ_LIMIT = 10_000;
const MOST_BLINDNESS = 60_000; // failed reads for so long are no hiccup

export interface AlarmWatch {
  /** what the alarms were before the deploy */
  readonly before: AlarmSnapshot;
  /** milliseconds */
  readonly span: number;
  readonly interval?: number;
}

/**
 * Looks at the alarms for `span`, and ends it at a new ALARM. A read that fails is made again in the interval, beyond the
 * end of the span, too: only a minute without an answer is inconclusive. So is missing data at the end.
 * @throws what `signal` was aborted with
 */
export async function watchAlarms(
  source: AlarmSource,
  { before, span, interval = INTERVAL }: AlarmWatch,
  clock: Clock,
  signal: AbortSignal,
): Promise<Judgement> {
  const end = clock.now() + span;
  const names = [...before.keys()];
  let baseline = before;
  let answered = clock.now();
  for (;;) {
    const asked = clock.now();
    const now = await look(source, names, signal);
    if ("failure" in now) {
      if (clock.now() - answered >= MOST_BLINDNESS) return unreadable(now.failure);
    } else {
      answered = asked;
      const judgement = judgeAlarms(baseline, now.alarms);
      if (judgement.status === "unhealthy" || end - asked < 1) return judgement; // a timer may fire a moment early
      baseline = withoutRecovered(baseline, now.alarms);
    }
    const next = asked < end ? Math.min(asked + interval, end) : asked + interval;
    await clock.sleep(Math.max(0, next - clock.now()), signal);
  }
}

async function look(
  source: AlarmSource,
  names: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly alarms: AlarmSnapshot } | { readonly failure: string }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(READ_LIMIT)]);
  try {
    return { alarms: await unlessAborted(readAlarms(source, names, limit), limit) };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: reasonOf(error) };
  }
}

const unreadable = (failure: string): Judgement => ({
  status: "inconclusive",
  evidence: [`The alarms could not be read for ${MOST_BLINDNESS / 1000} s: ${failure}.`],
});
