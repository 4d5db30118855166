import { expect, test } from "@jest/globals";
import {
  backingOffPace,
  becomesHealthy,
  type Clock,
  eagerPace,
  type Observation,
  type Probe,
  type Seen,
  staysHealthy,
  steadyPace,
} from "../../../src/health/gate";

const never = new AbortController().signal;

/** Time that passes only where something waits; a probe takes `takes` of it. */
class Time implements Clock {
  readonly probedAt: number[] = [];
  readonly timeLeft: number[] = [];
  #now = 0;

  now = () => this.#now;
  sleep = async (milliseconds: number) => {
    if (milliseconds < 0) throw new Error(`a pause of ${milliseconds} ms`);
    this.#now += milliseconds;
  };

  probing(answers: (at: number, index: number) => Observation["standing"], takes: number): Probe {
    return async (timeLeft) => {
      this.timeLeft.push(timeLeft);
      const standing = answers(this.#now, this.probedAt.push(this.#now) - 1);
      this.#now += takes;
      return { standing, seen: `${standing} in ${takes} ms`, milliseconds: takes };
    };
  }
}

const row =
  (...standings: readonly ("right" | "wrong" | "blind")[]) =>
  (_at: number, index: number) =>
    standings[Math.min(index, standings.length - 1)] ?? "wrong";

const rules = { pace: eagerPace(300), threshold: 3, limit: 5000 };

test("asks every 50 ms until the first good answer, and then in the interval", async () => {
  const time = new Time();
  const probe = time.probing((at) => (at < 180 ? "wrong" : "right"), 2);
  const verdict = await becomesHealthy(probe, rules, time, never);
  expect(verdict.status).toBe("healthy");
  expect(time.probedAt).toEqual([0, 50, 100, 150, 200, 500, 800]);
});

test("a long wire makes no pause longer", async () => {
  const time = new Time();
  const verdict = await becomesHealthy(time.probing(row("right"), 90), rules, time, never);
  expect(verdict.status).toBe("healthy");
  expect(time.probedAt).toEqual([0, 300, 600]);
});

test("a check that takes longer than its pace is not asked without a pause", async () => {
  const time = new Time();
  await becomesHealthy(time.probing(row("wrong"), 100), { ...rules, limit: 300 }, time, never);
  expect(time.probedAt).toEqual([0, 110, 220]);
});

test("a steady pace is from start to start, and the end is not waited for when no look fits in", async () => {
  const time = new Time();
  const verdict = await becomesHealthy(
    time.probing(row("wrong"), 700),
    { pace: steadyPace(2000), threshold: 1, limit: 7000 },
    time,
    never,
  );
  expect(time.probedAt).toEqual([0, 2000, 4000, 6000]);
  expect(time.timeLeft).toEqual([7000, 5000, 3000, 1000]);
  expect(time.now()).toBe(6700);
  expect(verdict).toMatchObject({ status: "unhealthy", why: "it did not become healthy within 7 s" });
});

test("a pace that backs off doubles after each wrong answer up to 30 s, and looks once more before the end", async () => {
  const time = new Time();
  const pace = backingOffPace(2000);
  await becomesHealthy(time.probing(row("wrong"), 1), { pace, threshold: 1, limit: 120_000 }, time, never);
  expect(time.probedAt).toEqual([0, 2000, 6000, 14_000, 30_000, 60_000, 90_000, 118_000]);
});

test("a pace that backs off is the plain interval between right answers", async () => {
  const time = new Time();
  const pace = backingOffPace(1000);
  await becomesHealthy(
    time.probing(row("wrong", "wrong", "right"), 0),
    { pace, threshold: 3, limit: 60_000 },
    time,
    never,
  );
  expect(time.probedAt).toEqual([0, 1000, 3000, 4000, 5000]);
});

test("a row that an eager pace began is completed in the interval alone", async () => {
  const time = new Time();
  const limit = { pace: eagerPace(300), threshold: 2, limit: 250 };
  const verdict = await becomesHealthy(time.probing(row("right"), 1), limit, time, never);
  expect([verdict.status, time.probedAt]).toEqual(["unhealthy", [0]]);
});

test("a look that the limit cut short changes neither verdict nor last seen, unless it is the only one", async () => {
  const cut = { standing: "wrong", seen: "no answer within 0.1 s", milliseconds: 100, cutShort: true } as const;
  const blind = { standing: "blind", seen: "no resolver", milliseconds: 1 } as const;
  const looks: Observation[] = [blind, cut];
  const limit = { pace: steadyPace(100), threshold: 1, limit: 200 };
  const verdict = await becomesHealthy(async () => looks.shift() ?? cut, limit, new Time(), never);
  expect([verdict.status, verdict.seen.lastSeen]).toEqual(["inconclusive", "no resolver"]);
  const only = await becomesHealthy(async () => cut, limit, new Time(), never);
  expect([only.status, only.seen.lastSeen]).toEqual(["unhealthy", "no answer within 0.1 s"]);
});

test("one wrong answer makes the row begin again", async () => {
  const time = new Time();
  const answers = row("right", "right", "wrong", "right", "right", "right");
  const verdict = await becomesHealthy(time.probing(answers, 0), { ...rules, pace: steadyPace(100) }, time, never);
  expect(verdict.seen).toMatchObject({ probes: 6, wrong: 1, rightInARow: 3 });
});

const ends = [
  ["only blind looks", row("blind"), "inconclusive", "it did not become healthy within 1 s"],
  [
    "blind looks and a wrong answer",
    row("blind", "wrong", "blind"),
    "unhealthy",
    "it did not become healthy within 1 s",
  ],
  [
    "right answers with blind looks between them",
    (_at: number, index: number) => (index % 2 ? "blind" : "right"),
    "inconclusive",
    "it did not become healthy within 1 s (only 1 of 3 right answers in a row)",
  ],
] as const;
test.each(ends)("at the end of the time, %s mean %s", async (_what, answers, status, why) => {
  const time = new Time();
  const slow = { pace: steadyPace(200), threshold: 3, limit: 1000 };
  expect(await becomesHealthy(time.probing(answers, 0), slow, time, never)).toMatchObject({ status, why });
});

test("right answers that are too slow are waited on, and unhealthy at the end", async () => {
  const time = new Time();
  const rows: (readonly number[])[] = [];
  const tooSlow = (latencies: readonly number[]) => {
    rows.push(latencies);
    return "p95 is 40 ms";
  };
  const slow = { pace: steadyPace(100), threshold: 2, limit: 350, tooSlow };
  expect(await becomesHealthy(time.probing(row("right"), 40), slow, time, never)).toMatchObject({
    status: "unhealthy",
    why: "it did not become healthy within 0.35 s (p95 is 40 ms)",
  });
  expect(rows).toEqual([
    [40, 40],
    [40, 40],
    [40, 40],
  ]);
});

test("what a probe throws is a wrong answer with its message", async () => {
  const broken = async () => Promise.reject(new Error("connect ECONNREFUSED"));
  const { status, seen } = await becomesHealthy(broken, { ...rules, limit: 40 }, new Time(), never);
  expect([status, seen.lastSeen]).toEqual(["unhealthy", "connect ECONNREFUSED"]);
});

const tooMany = ({ wrongInARow }: Seen) => (wrongInARow >= 3 ? `${wrongInARow} wrong answers in a row` : undefined);

test("a bake looks at once, then in the interval, and ends at the third wrong answer in a row", async () => {
  const time = new Time();
  const answers = row("right", "wrong", "wrong", "right", "wrong");
  const bake = { pace: steadyPace(300, 1), span: 5000, settles: true, broken: tooMany };
  const verdict = await staysHealthy(time.probing(answers, 10), bake, time, never);
  expect(verdict).toMatchObject({ status: "unhealthy", why: "3 wrong answers in a row" });
  expect(time.probedAt).toEqual([0, 310, 620, 930, 1240, 1550, 1860]);
});

test("a wrong answer as the bake ends is settled before it passes", async () => {
  const time = new Time();
  const answers = (at: number) => (at === 600 ? "wrong" : "right");
  const bake = { pace: steadyPace(300, 1), span: 700, settles: true, broken: tooMany };
  const verdict = await staysHealthy(time.probing(answers, 0), bake, time, never);
  expect([verdict.status, time.probedAt]).toEqual(["healthy", [0, 300, 600, 700]]);
});

test("a hold begins an interval after the look that made it healthy, and looks last at its end", async () => {
  const time = new Time();
  const hold = { pace: steadyPace(2000), span: 5000, since: -500, broken: tooMany };
  const verdict = await staysHealthy(time.probing(row("right"), 10), hold, time, never);
  expect([verdict.status, time.probedAt]).toEqual(["healthy", [1500, 3500, 4500]]);
  expect(time.timeLeft).toEqual([1, 1, 1].map(() => Number.POSITIVE_INFINITY));
});

const gates = [
  [
    "the gate before the traffic",
    (probe: Probe, signal: AbortSignal) => becomesHealthy(probe, rules, new Time(), signal),
  ],
  [
    "the bake",
    (probe: Probe, signal: AbortSignal) =>
      staysHealthy(probe, { pace: steadyPace(300, 1), span: 5000, broken: tooMany }, new Time(), signal),
  ],
] as const;

for (const [name, gate] of gates)
  test(`${name} hears an abort while a probe hangs`, async () => {
    const stop = new AbortController();
    const ended = gate(() => new Promise(() => {}), stop.signal);
    stop.abort(new Error("the candidate ended"));
    await expect(ended).rejects.toThrow("the candidate ended");
  });
