import { expect, test } from "@jest/globals";
import { judgeAlarms, leastBake, withoutRecovered } from "../../../src/aws/alarm-verdict";
import type { Alarm, AlarmSnapshot, AlarmState } from "../../../src/aws/alarms";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 26, 9, minute));

const alarm = (state: AlarmState, minute = 0): Alarm => ({
  name: "web-5xx",
  state,
  since: at(minute),
  reason: "Threshold Crossed: 1 datapoint [7.0] was greater than 5.0",
  pace: { period: 60, breaches: 1 },
});

const snapshot = (...alarms: readonly Alarm[]): AlarmSnapshot => new Map(alarms.map((one) => [one.name, one]));

const changes = [
  ["OK", "OK", "healthy", "is OK"],
  ["OK", "ALARM", "unhealthy", "went into ALARM: Threshold Crossed: 1 datapoint [7.0] was greater than 5.0."],
  ["OK", "INSUFFICIENT_DATA", "inconclusive", "has no data any more, it was OK before"],
  ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "healthy", "has no data, as before"],
  ["INSUFFICIENT_DATA", "OK", "healthy", "is OK"],
  ["INSUFFICIENT_DATA", "ALARM", "unhealthy", "went into ALARM"],
  ["ALARM", "OK", "healthy", "is OK"],
  ["ALARM", "INSUFFICIENT_DATA", "inconclusive", "has no data any more, it was ALARM before"],
] as const;
test.each(changes)("an alarm that was %s and is %s is %s", (then, now, status, says) => {
  const judgement = judgeAlarms(snapshot(alarm(then)), snapshot(alarm(now, 5)));
  expect(judgement.status).toBe(status);
  expect(judgement.evidence).toEqual([expect.stringContaining(`Alarm "web-5xx" ${says}`)]);
});

test("an alarm that was red before the deploy is told, and does not count", () => {
  const red = snapshot(alarm("ALARM"));
  expect(judgeAlarms(red, red)).toEqual({
    status: "healthy",
    evidence: ['Alarm "web-5xx" was in ALARM before, and does not count.'],
  });
});

test("an alarm that was red, went OK and is red again counts, whether a look saw it OK or not", () => {
  const red = snapshot(alarm("ALARM"));
  expect(judgeAlarms(red, snapshot(alarm("ALARM", 7))).status).toBe("unhealthy");
  const untimed = snapshot({ ...alarm("ALARM"), since: undefined });
  expect(judgeAlarms(untimed, untimed).status).toBe("healthy");
  const recovered = withoutRecovered(untimed, snapshot(alarm("OK")));
  expect(judgeAlarms(recovered, untimed).status).toBe("unhealthy");
});

test("an alarm that vanished is inconclusive, and one bad alarm outweighs all others", () => {
  const other = { ...alarm("OK"), name: "db" };
  const before = snapshot(alarm("OK"), other);
  expect(judgeAlarms(before, snapshot(alarm("OK"))).status).toBe("inconclusive");
  expect(judgeAlarms(before, snapshot(alarm("ALARM", 1))).status).toBe("unhealthy");
});

const named = (name: string, period: number, breaches: number, state: AlarmState = "OK"): Alarm => ({
  ...alarm(state),
  name,
  pace: { period, breaches },
});

test.each([
  ["one period of a minute", [named("a", 60, 1)], 180, '180 s: alarm "a" needs 1 of its 60 s periods'],
  ["the slowest of several", [named("a", 60, 1), named("b", 300, 2)], 960, '960 s: alarm "b" needs 2 of its 300 s'],
  ["an alarm of 10 s periods", [named("a", 10, 3)], 50, "50 s"],
  ["an alarm of hours", [named("a", 3600, 3)], 1800, "the most that an alarm is waited for"],
  ["one that is red already", [named("a", 3600, 3, "ALARM")], 0, ""],
  ["a composite alarm", [{ ...named("all", 1, 1), pace: undefined }], 0, 'How long "all" needs is not known'],
] as const)("a bake lasts long enough for %s", (_what, alarms, seconds, says) => {
  const least = leastBake(snapshot(...alarms));
  expect(least.span).toBe(seconds * 1000);
  expect(least.says).toContain(says);
});
