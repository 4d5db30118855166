import { expect, test } from "@jest/globals";
import { becomesHealthy, type Clock, type Probe, staysHealthy } from "../../../src/health/gate";
import type { HttpAnswer } from "../../../src/health/http";

const expected = { status: [{ from: 200, to: 299 }], body: undefined };
const never = new AbortController().signal;

/** Time that passes only where something waits; a probe takes `takes` of it. */
class Time implements Clock {
  readonly probedAt: number[] = [];
  #now = 0;

  now = () => this.#now;
  sleep = async (milliseconds: number) => {
    this.#now += milliseconds;
  };

  probing(answers: (at: number) => number, takes: number): Probe {
    return async () => {
      this.probedAt.push(this.#now);
      const status = answers(this.#now);
      this.#now += takes;
      return { status, headers: {}, body: "", milliseconds: takes } satisfies HttpAnswer;
    };
  }
}

const pace = { interval: 300, threshold: 3, limit: 5000 };

test("asks every 50 ms until the first good answer, and then in the interval", async () => {
  const time = new Time();
  const probe = time.probing((at) => (at < 180 ? 503 : 200), 2);
  const verdict = await becomesHealthy(probe, expected, pace, time, never);
  expect(verdict.healthy).toBe(true);
  expect(time.probedAt).toEqual([0, 50, 100, 150, 200, 500, 800]);
});

test("a long wire makes no pause longer", async () => {
  const time = new Time();
  const verdict = await becomesHealthy(
    time.probing(() => 200, 90),
    expected,
    pace,
    time,
    never,
  );
  expect(verdict.healthy).toBe(true);
  expect(time.probedAt).toEqual([0, 300, 600]);
});

test("a check that takes longer than its pace is not asked without a pause", async () => {
  const time = new Time();
  await becomesHealthy(
    time.probing(() => 503, 100),
    expected,
    { ...pace, limit: 300 },
    time,
    never,
  );
  expect(time.probedAt).toEqual([0, 110, 220]);
});

const gates = [
  [
    "the gate before the traffic",
    (probe: Probe, signal: AbortSignal) => becomesHealthy(probe, expected, pace, new Time(), signal),
  ],
  [
    "the bake",
    (probe: Probe, signal: AbortSignal) => staysHealthy(probe, expected, { ...pace, span: 5000 }, new Time(), signal),
  ],
] as const;

for (const [name, gate] of gates)
  test(`${name} hears an abort while a probe hangs`, async () => {
    const stop = new AbortController();
    const ended = gate(() => new Promise(() => {}), stop.signal);
    stop.abort(new Error("the candidate ended"));
    await expect(ended).rejects.toThrow("the candidate ended");
  });
