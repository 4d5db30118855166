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
  /** aborted when there is nothing more to wait for: the next look is the last */
  readonly over: AbortSignal;
}

export interface Watched extends Judgement {
  /** reads that AWS answered */
  readonly looks: number;
}

/**
 * Looks at the alarms until it is `over`, and ends earlier at a new ALARM. A read that fails is made again in the
 * interval, also when it is over: only a minute without an answer is inconclusive. So is missing data at the end.
 * @throws what `signal` was aborted with
 */
export async function watchAlarms(
  source: AlarmSource,
  { before, over }: AlarmWatch,
  clock: Clock,
  signal: AbortSignal,
): Promise<Watched> {
  const names = [...before.keys()];
  let baseline = before;
  let answered = clock.now();
  for (let looks = 0; ; ) {
    const last = over.aborted;
    const asked = clock.now();
    const now = await look(source, names, signal);
    if ("failure" in now) {
      if (clock.now() - answered >= MOST_BLINDNESS) return { ...unreadable(now.failure), looks };
    } else {
      answered = asked;
      looks += 1;
      const judgement = judgeAlarms(baseline, now.alarms);
      if (judgement.status === "unhealthy" || last) return { ...judgement, looks };
      baseline = withoutRecovered(baseline, now.alarms);
    }
    await pause(Math.max(0, asked + INTERVAL - clock.now()), clock, last ? [signal] : [signal, over]);
    signal.throwIfAborted();
  }
}

const pause = (milliseconds: number, clock: Clock, until: readonly AbortSignal[]): Promise<void> =>
  clock.sleep(milliseconds, AbortSignal.any([...until])).catch(() => {});

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
