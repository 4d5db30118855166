import { type Finding, type Judgement, judged } from "../health/judgement";
import type { Alarm, AlarmPace, AlarmSnapshot } from "./alarms";

/** Of each alarm: what its state means beside the one that it had before. */
export function judgeAlarms(before: AlarmSnapshot, now: AlarmSnapshot): Judgement {
  return judged([...before.values()].map((then) => judge(then, now.get(then.name))));
}

function judge(then: Alarm, now: Alarm | undefined): Finding {
  const name = `Alarm ${JSON.stringify(then.name)}`;
  if (!now) return { status: "inconclusive", says: `${name} was deleted since the deploy began.` };
  if (now.state === "ALARM") {
    if (staysRed(then, now)) return { status: "healthy", says: `${name} was in ALARM before, and does not count.` };
    return { status: "unhealthy", says: `${name} went into ALARM: ${now.reason}.` };
  }
  if (now.state === "OK") return { status: "healthy", says: `${name} is OK.` };
  if (then.state === "INSUFFICIENT_DATA")
    return { status: "healthy", says: `${name} has no data, as before, and says nothing.` };
  return { status: "inconclusive", says: `${name} has no data any more, it was ${then.state} before: ${now.reason}.` };
}

/** A later change of state means that it was something else in between. */
const staysRed = (then: Alarm, now: Alarm): boolean =>
  then.state === "ALARM" && (!now.since || !then.since || now.since.getTime() === then.since.getTime());

/** What later looks compare with: an alarm that has left ALARM counts from then on. */
export function withoutRecovered(before: AlarmSnapshot, now: AlarmSnapshot): AlarmSnapshot {
  const recovered = [...before.values()].filter(
    ({ name, state }) => state === "ALARM" && (now.get(name)?.state ?? state) !== "ALARM",
  );
  return new Map([...before, ...recovered.map((alarm) => [alarm.name, { ...alarm, state: "OK" }] as const)]);
}

const LONGEST_BAKE = 30 * 60; // seconds: who waits longer has forgotten what for
const LONGEST_LAG = 60; // seconds from a period's end to its evaluation; alarms of 10 s periods are evaluated in 10 s

export interface LeastBake {
  /** milliseconds; 0 = no alarm asks for any */
  readonly span: number;
  /** a sentence for the log; '' = nothing to say */
  readonly says: string;
}

/**
 * How long a bake must last so that a fault which begins at the shift shows in the slowest alarm. One that is red
 * already does not count, so nobody waits for it.
 */
export function leastBake(snapshot: AlarmSnapshot): LeastBake {
  const alarms = [...snapshot.values()].filter(({ state }) => state !== "ALARM");
  const unknown = alarms.filter(({ pace }) => !pace).map(({ name }) => JSON.stringify(name));
  const paced = alarms.flatMap(({ name, pace }) => (pace ? [{ name, pace, seconds: secondsToAlarm(pace) }] : []));
  const [slowest] = paced.sort((a, b) => b.seconds - a.seconds);
  const blind =
    unknown.length === 0 ? "" : `How long ${unknown.join(", ")} needs is not known; bake-time alone decides. `;
  if (!slowest) return { span: 0, says: blind.trim() };
  const { period, breaches } = slowest.pace;
  const why = `alarm ${JSON.stringify(slowest.name)} needs ${breaches} of its ${period} s periods to speak`;
  if (slowest.seconds > LONGEST_BAKE)
    return {
      span: LONGEST_BAKE * 1000,
      says: `${blind}The bake lasts at least ${LONGEST_BAKE} s, the most that an alarm is waited for; ${why}, ${slowest.seconds} s.`,
    };
  return { span: slowest.seconds * 1000, says: `${blind}The bake lasts at least ${slowest.seconds} s: ${why}.` };
}

/** The period that the shift falls in says little, so one more than must breach; then AWS has to look at it. */
const secondsToAlarm = ({ period, breaches }: AlarmPace): number =>
  period * (breaches + 1) + Math.min(period, LONGEST_LAG);
